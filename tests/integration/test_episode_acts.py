"""The address of all acts on an episode, and the history that they leave."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from detection.admin.episode_history import HistoryLine, history_of
from detection.models import AuditAction, AuditRecord, Episode, ReviewStep, StationAccess
from detection.services import audit
from tests.rows import a_camera, a_delivery, an_episode, officer

pytestmark = pytest.mark.django_db

REVIEWER = ("view_episode", "change_episode")


def act(client: Client, episode: Episode, **fields: Any) -> tuple[int, dict[str, Any]]:
    """As the page's script asks."""
    response = client.post(
        f"/admin/detection/episode/{episode.pk}/act/",
        fields,
        headers={"accept": "application/json"},
    )
    return response.status_code, response.json()


@pytest.fixture
def ann() -> Client:
    return officer("ann", *REVIEWER)


@pytest.fixture
def episode() -> Episode:
    return an_episode(a_camera())


def test_a_script_is_told_what_became_of_each_act_and_what_undo_takes_back(
    ann: Client, episode: Episode
) -> None:
    status, said = act(ann, episode, act="dismissed", reason="test", expected="unreviewed")
    step = ReviewStep.objects.get()
    assert status == 200
    assert said == {
        "ok": True,
        "message": "Recorded: dismissed (Test or drill).",
        "undo": step.pk,
        "verdict": "dismissed",
        "verdict_label": "Dismissed",
        "reason_label": "Test or drill",
        "expected": f"dismissed:{step.pk}",
        "escalated": False,
        "held": False,
        "note": "",
    }
    status, said = act(ann, episode, act="undone", step=step.pk)
    assert (status, said["verdict"], said["undo"]) == (200, "unreviewed", None)
    assert said["message"] == "Undone: dismissed."


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"act": "escalated"}, {"escalated": True}),
        ({"act": "held"}, {"held": True}),
        ({"act": "noted", "note": "a red van"}, {"note": "a red van"}),
    ],
)
def test_each_act_is_taken_and_undone(
    ann: Client, episode: Episode, asked: dict[str, str], shown: dict[str, Any]
) -> None:
    before = act(ann, episode, act="undone")[1]
    said = act(ann, episode, **asked)[1]
    assert {key: said[key] for key in shown} == shown
    after = act(ann, episode, act="undone", step=said["undo"])[1]
    assert {key: after[key] for key in shown} == {key: before[key] for key in shown}


def test_the_second_officer_is_told_and_sees_what_holds_now(ann: Client, episode: Episode) -> None:
    act(ann, episode, act="confirmed", expected="unreviewed")
    status, said = act(
        officer("bob", *REVIEWER), episode, act="dismissed", reason="test", expected="unreviewed"
    )
    assert (status, said["ok"], said["verdict"], said["undo"]) == (409, False, "confirmed", None)
    assert said["message"].startswith(
        "Not recorded: ann has already set this episode to confirmed, on "
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "act: This field is required."),
        ({"act": "deleted"}, "act: Select a valid choice. deleted is not one of the"),
        ({"act": "dismissed"}, "choose a reason for dismissing the episode."),
        ({"act": "dismissed", "reason": "because"}, "reason: Select a valid choice."),
        ({"act": "noted"}, "write what the next officer should know."),
        ({"act": "noted", "note": "x" * 2001}, "note: Ensure this value has at most 2000"),
        ({"act": "undone", "step": "first"}, "step: Enter a whole number."),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(
    ann: Client, episode: Episode, asked: dict[str, str], message: str
) -> None:
    status, said = act(ann, episode, **asked)
    assert (status, said["ok"]) == (400, False)
    assert message in said["message"]
    assert not ReviewStep.objects.exists()


def test_a_form_comes_back_to_the_page_which_tells(ann: Client, episode: Episode) -> None:
    response = ann.post(
        f"/admin/detection/episode/{episode.pk}/act/", {"act": "confirmed"}, follow=True
    )
    assert response.redirect_chain == [(f"/admin/detection/episode/{episode.pk}/change/", 302)]
    assert "Recorded: confirmed." in response.text


def test_only_a_supervisor_ends_a_hold_and_undoes_what_others_did(
    ann: Client, episode: Episode
) -> None:
    act(ann, episode, act="held")
    status, said = act(ann, episode, act="released")
    assert (status, said["held"]) == (403, True)
    assert said["message"] == "Not recorded: a hold is ended by a supervisor."
    chief = officer("chief", *REVIEWER, "release_hold", "undo_others_review")
    assert act(chief, episode, act="released")[1]["held"] is False
    act(ann, episode, act="escalated")
    assert act(officer("bob", *REVIEWER), episode, act="undone")[0] == 409
    assert act(chief, episode, act="undone")[1]["escalated"] is False


def test_who_may_not_review_or_see_the_episode_changes_nothing(episode: Episode) -> None:
    address = f"/admin/detection/episode/{episode.pk}/act/"
    assert officer("viewer", "view_episode").post(address, {"act": "held"}).status_code == 403
    elsewhere = officer("elsewhere", *REVIEWER)
    StationAccess.objects.filter(user__username="elsewhere").update(all_stations=False)
    assert elsewhere.post(address, {"act": "held"}).status_code == 404
    gone = f"/admin/detection/episode/{uuid4()}/act/"
    assert elsewhere.post(gone, {"act": "held"}).status_code == 404
    assert officer("ann", *REVIEWER).get(address).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="ann"))
    assert strict.post(address, {"act": "held"}).status_code == 403
    assert not ReviewStep.objects.exists()
    assert not AuditRecord.objects.filter(action=AuditAction.HELD).exists()


def test_an_act_costs_no_more_with_a_long_history(ann: Client, episode: Episode) -> None:
    act(ann, episode, act="escalated")  # what Django asks once, it has asked
    asked = []
    for expected, verdict in (("unreviewed", "confirmed"), ("confirmed", "dismissed")):
        with CaptureQueriesContext(connection) as queries:
            act(ann, episode, act=verdict, reason="test", expected=expected)
        asked.append(len(queries))
        for number in range(30):
            act(ann, episode, act="noted", note=f"note {number}")
            a_delivery(episode, number + 1 + 30 * len(asked))
    assert asked[0] == asked[1] <= 18


# --- history --------------------------------------------------------------------------------------


def looked(name: str, action: AuditAction, subject: Any, **details: Any) -> None:
    audit.record(action, user=User.objects.get(username=name), subject=subject, details=details)


def told(lines: list[HistoryLine]) -> list[tuple[str, str, str]]:
    return [(line.who, line.what, line.detail) for line in lines]


def test_the_history_tells_what_was_done_the_newest_first(ann: Client, episode: Episode) -> None:
    act(ann, episode, act="dismissed", reason="test")
    act(ann, episode, act="noted", note="a drill of <b>the</b> week")
    act(ann, episode, act="undone")
    delivery = a_delivery(episode, kind="crime")
    looked("ann", AuditAction.RESENT, delivery, said="Resent.")
    looked("ann", AuditAction.RESENT, a_delivery(an_episode(a_camera(2))))
    viewer = User.objects.get(username="ann")
    lines = history_of(episode, viewer)
    assert told(lines) == [
        ("ann", "Sent again", "Resent."),
        ("ann", "Undid", "Noted"),
        ("ann", "Noted", "a drill of <b>the</b> week"),
        ("ann", "Dismissed", "Test or drill"),
    ]
    assert [line.is_undone for line in lines] == [False, False, True, False]


def test_who_looked_is_for_those_who_may_read_the_audit_trail(episode: Episode) -> None:
    for name, permissions in (("ann", REVIEWER), ("chief", (*REVIEWER, "view_auditrecord"))):
        officer(name, *permissions)
        looked(name, AuditAction.EPISODE_VIEWED, episode)
    looked("chief", AuditAction.EVIDENCE_VIEWED, episode, kind="clip")
    looked("chief", AuditAction.SIREN_SILENCED, episode, outcome="It is silent.")
    ann, chief = (User.objects.get(username=name) for name in ("ann", "chief"))
    assert told(history_of(episode, ann)) == [
        ("chief", "Silenced the siren", "It is silent."),
        ("ann", "Opened the episode", ""),
    ]
    assert told(history_of(episode, chief)) == [
        ("chief", "Silenced the siren", "It is silent."),
        ("chief", "Saw evidence", "Video"),
        ("chief", "Opened the episode", ""),
        ("ann", "Opened the episode", ""),
    ]


def test_a_review_from_before_there_were_steps_is_told_by_the_audit_trail(
    episode: Episode,
) -> None:
    officer("ann")
    looked("ann", AuditAction.REVIEWED, episode, said="Verdict: Confirmed.")
    viewer = User.objects.get(username="ann")
    assert told(history_of(episode, viewer)) == [("ann", "Reviewed", "Verdict: Confirmed.")]


def test_a_long_history_costs_few_queries_and_is_cut(
    ann: Client, episode: Episode, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    viewer = User.objects.get(username="ann")
    assert not viewer.has_perm("detection.view_auditrecord")  # asked once and remembered
    now = timezone.now()
    ReviewStep.objects.bulk_create(
        ReviewStep(episode=episode, at=now, username="ann", act="noted", after={"note": "x"})
        for _ in range(250)
    )
    with django_assert_num_queries(4):  # steps, deliveries, soundings, records
        lines = history_of(episode, viewer)
    assert len(lines) == 200
