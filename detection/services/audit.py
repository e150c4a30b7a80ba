"""The audit trail: who did what, from where. Written with the act itself, in its transaction."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.http import HttpRequest
from django.utils import timezone, translation

from crimeops.clients import client_address
from crimeops.logging import redact, redact_json
from detection.models import AuditAction, AuditRecord

# A page that is renewed, or a list that shows the same picture again, is one view.
ONE_VIEW = timedelta(minutes=10)


def record(
    action: AuditAction,
    *,
    request: HttpRequest | None = None,
    user: AbstractBaseUser | None = None,
    username: str = "",
    subject: models.Model | None = None,
    details: dict[str, Any] | None = None,
) -> AuditRecord:
    """Write down an act; the user is the request's unless one is given.

    In English and the site's time, whatever the officer reads: all search one trail.
    """
    act = prepare(
        action, request=request, user=user, username=username, subject=subject, details=details
    )
    act.save()
    return act


def prepare(
    action: AuditAction,
    *,
    request: HttpRequest | None = None,
    user: AbstractBaseUser | None = None,
    username: str = "",
    subject: models.Model | None = None,
    details: dict[str, Any] | None = None,
) -> AuditRecord:
    """The record of an act, not saved yet: for acts on many rows at once."""
    if user is None and not username and request is not None and request.user.is_authenticated:
        user = request.user
    with translation.override("en"), timezone.override(None):
        label = redact(str(subject))[:200] if subject is not None else ""
        said = redact_json(details or {})
    return AuditRecord(
        at=timezone.now(),
        user_id=user.pk if user is not None else None,
        username=(user.get_username() if user is not None else username)[:150],
        action=action,
        object_type=subject._meta.label_lower if subject is not None else "",
        object_id=str(subject.pk)[:64] if subject is not None else "",
        label=label,
        address=client_address(request),
        details=said,
    )


def record_view(
    action: AuditAction,
    *,
    request: HttpRequest,
    subject: models.Model,
    details: dict[str, Any] | None = None,
) -> None:
    """Write down that evidence was seen, once for each stretch of looking at it."""
    seen = AuditRecord.objects.filter(
        username=request.user.get_username(),
        action=action,
        object_type=subject._meta.label_lower,
        object_id=str(subject.pk),
        at__gt=timezone.now() - ONE_VIEW,
        details=details or {},
    )
    if not seen.exists():
        record(action, request=request, subject=subject, details=details)
