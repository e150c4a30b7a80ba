"""The admin's door: the login form counts failures, and who comes and goes is written down."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.auth import signals
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from crimeops import sessions
from crimeops.clients import client_address
from detection.admin.base import signed_in
from detection.admin.changes import HIDDEN_CHANGE
from detection.models import AuditAction, AuditRecord
from detection.services import audit, logins, preferences

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm


class LoginForm(AuthenticationForm):
    """Looks at no password while the user or the address is locked out."""

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if not username or not self.cleaned_data.get("password"):
            return super().clean()
        address = client_address(self.request)
        try:
            attempt = logins.begin_attempt(username=username, address=address)
        except logins.LockedOut as lock:
            _record_lock(username, self.request)
            raise ValidationError(str(lock), code="locked_out") from None
        cleaned = super().clean()
        logins.succeed(attempt)
        return cleaned


def _record_lock(username: str, request: HttpRequest | None) -> None:
    """Once for each stretch of knocking at the closed door."""
    shown = username if logins.is_user(username) else ""
    recent = AuditRecord.objects.filter(
        action=AuditAction.LOCKED_OUT,
        username=shown,
        address=client_address(request),
        at__gt=timezone.now() - audit.ONE_VIEW,
    )
    if not recent.exists():
        audit.record(AuditAction.LOCKED_OUT, request=request, username=shown)


def with_record(change_own_password: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Django logs a password that another sets, but not one's own."""

    def changed(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        with transaction.atomic():
            response = change_own_password(request, extra_context)
            if request.method == "POST" and response.status_code == 302:
                audit.record(
                    AuditAction.CHANGED,
                    request=request,
                    subject=signed_in(request),
                    details={"fields": {"password": HIDDEN_CHANGE}},
                )
        return response

    return changed


@receiver(signals.user_logged_in)
def _on_login(request: HttpRequest | None, user: AbstractUser, **_: Any) -> None:
    if request is not None:
        sessions.begin(request)
        preferences.remember(request, user)
    audit.record(AuditAction.LOGIN, request=request, user=user)


@receiver(signals.user_logged_out)
def _on_logout(request: HttpRequest | None, user: AbstractUser | None, **_: Any) -> None:
    if user is not None:
        audit.record(AuditAction.LOGOUT, request=request, user=user)


@receiver(signals.user_login_failed)
def _on_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """A name that nobody has is not kept: it may be a password in the wrong field."""
    username = str(credentials.get("username", ""))
    known = logins.is_user(username)
    audit.record(
        AuditAction.LOGIN_FAILED,
        request=request,
        username=username if known else "",
        details={} if known else {"user": "nobody of that name"},
    )
