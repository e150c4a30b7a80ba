"""The table of roles that people read is the one that the code follows."""

import re

import pytest

from crimeops.roles import ROLES, may
from tests.conftest import REPOSITORY

SECURITY = (REPOSITORY / "docs" / "security.md").read_text()
SEEN = ("camera", "zone", "claim", "episode")
# Each line of the table, as permissions all of which a role with “yes” has, and one with “–” lacks.
LINES: dict[str, list[str]] = {
    "see cameras, zones, claims, episodes, deliveries, sirens": [
        *(f"detection.view_{model}" for model in SEEN),
        "integrations.view_delivery",
        "integrations.view_siren",
    ],
    "review episodes: confirm, dismiss, escalate, hold, note; undo one's own": [
        "detection.change_episode"
    ],
    "end a hold; undo what others did": [
        "detection.release_hold",
        "detection.undo_others_review",
    ],
    "make links to evidence for people without an account": ["detection.add_evidencelink"],
    "send a delivery again": ["integrations.change_delivery"],
    "test, silence and re-arm sirens": ["integrations.change_siren"],
    "change and arm cameras; add and change zones": [
        "detection.change_camera",
        "detection.add_zone",
        "detection.change_zone",
    ],
    "add and remove cameras; delete zones": [
        "detection.add_camera",
        "detection.delete_camera",
        "detection.delete_zone",
    ],
    "change and arm the site; add, change and delete schedules": [
        "detection.change_site",
        "detection.add_schedule",
        "detection.change_schedule",
        "detection.delete_schedule",
    ],
    "users: add, change, delete, give role and stations": [
        "auth.add_user",
        "auth.change_user",
        "auth.delete_user",
        "detection.change_stationaccess",
    ],
    "unlock logins": ["detection.delete_loginattempt"],
    "read the audit trail": ["detection.view_auditrecord"],
    "watch jobs in Flower": ["detection.watch_jobs"],
}


def table() -> dict[str, list[str]]:
    part = SECURITY[SECURITY.index("## Roles") : SECURITY.index("- **Stations.**")]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in re.findall(r"^\|.*\|$", part, re.MULTILINE)
    ]
    assert rows[0][1:] == list(ROLES)
    return {row[0]: row[1:] for row in rows[2:]}


def test_the_table_has_a_line_for_each_and_no_other() -> None:
    assert set(table()) == {*LINES, "stations"}


@pytest.mark.parametrize("line", LINES)
def test_a_role_may_what_its_line_says(line: str) -> None:
    for role, word in zip(ROLES, table()[line], strict=True):
        assert {may(role, permission) for permission in LINES[line]} == {word == "yes"}, role


def test_only_supervisors_see_all_stations() -> None:
    assert table()["stations"] == ["those granted", "those granted", "all"]
    assert [may(role, "detection.see_all_stations") for role in ROLES] == [False, False, True]


@pytest.mark.parametrize(
    "permission",
    [
        "auth.add_permission",
        "auth.change_permission",
        "auth.add_group",
        "auth.change_group",
        "auth.delete_group",
        "admin.delete_logentry",
        "sessions.change_session",
        "contenttypes.change_contenttype",
    ],
)
def test_no_role_may_change_what_roles_may(permission: str) -> None:
    assert not any(may(role, permission) for role in ROLES)
