"""What each role may do, as names of permissions; docs/security.md shows the table to people.

The groups of these names are put in order after each `migrate`: whoever needs another mixture makes
a group of another name. `view_*` stands for every model of that half; `WITHHELD` takes out what is
about people and not about cameras.
"""

from fnmatch import fnmatchcase

VIEWER = ("detection.view_*", "integrations.view_*")
OPERATOR = (
    *VIEWER,
    "detection.change_camera",
    "detection.add_zone",
    "detection.change_zone",
    "detection.change_episode",  # review; holds of others are ended by supervisors
    "detection.add_evidencelink",
    "integrations.change_delivery",  # resend
    "integrations.change_siren",  # silence, re-arm
    "integrations.test_siren",
)
SUPERVISOR = (
    "detection.*",
    "integrations.*",
    "auth.view_user",
    "auth.add_user",
    "auth.change_user",
    "auth.delete_user",
    "auth.view_group",
)
ROLES: dict[str, tuple[str, ...]] = {
    "viewer": VIEWER,
    "operator": OPERATOR,
    "supervisor": SUPERVISOR,
}
WITHHELD: dict[str, tuple[str, ...]] = {
    "viewer": ("*_auditrecord", "*_loginattempt", "*_stationaccess"),
    "operator": ("*_auditrecord", "*_loginattempt", "*_stationaccess"),
    "supervisor": ("steer_jobs",),  # a worker shut down is cameras that nobody watches
}


def may(role: str, permission: str) -> bool:
    """Whether the role has a permission, given as `app.codename`."""
    _, _, codename = permission.partition(".")
    if any(fnmatchcase(codename, pattern) for pattern in WITHHELD[role]):
        return False
    return any(fnmatchcase(permission, pattern) for pattern in ROLES[role])
