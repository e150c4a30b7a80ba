"""The roles of crimeops.roles as Django's groups."""

from django.contrib.auth.models import Group, Permission

from crimeops.roles import ROLES, may


def write_roles() -> None:
    """Give each role's group exactly its permissions. Those of other groups are left alone."""
    permissions = Permission.objects.select_related("content_type").only(
        "codename", "content_type__app_label"
    )
    known = [(p.pk, f"{p.content_type.app_label}.{p.codename}") for p in permissions]
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set([key for key, name in known if may(role, name)])
