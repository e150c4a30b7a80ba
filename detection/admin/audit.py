"""The audit trail and failed logins, for reading only; a lock is opened here."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from detection.admin.base import ReadOnlyAdmin
from detection.admin.presentation import NOTHING, moment, pretty_json
from detection.models import AuditAction, AuditRecord, LoginAttempt
from detection.services import audit


@admin.register(AuditRecord)
class AuditRecordAdmin(ReadOnlyAdmin[AuditRecord]):
    empty_title = _("Nobody has done anything yet")
    empty_text = _("Logins, views of evidence, reviews and changes appear here as they happen.")
    list_display = ("moment", "username", "action", "object", "address")
    list_filter = ("action", "object_type", "at")
    search_fields = ("username", "label", "address", "object_id")
    search_help_text = _("User, object or address")
    date_hierarchy = "at"
    fields = ("moment", "username", "action", "object", "object_id", "address", "what")

    @admin.display(description=_("at"), ordering="at")
    def moment(self, record: AuditRecord) -> str:
        return moment(record.at)

    @admin.display(description=_("object"), ordering="object_type")
    def object(self, record: AuditRecord) -> str:
        return f"{record.label} ({record.object_type})" if record.object_type else NOTHING

    @admin.display(description=_("details"))
    def what(self, record: AuditRecord) -> str:
        return pretty_json(record.details)


@admin.register(LoginAttempt)
class LoginAttemptAdmin(ReadOnlyAdmin[LoginAttempt]):
    empty_title = _("No failed logins")
    empty_text = _("Failed logins of the last minutes appear here; enough of them lock a user out.")
    list_display = ("moment", "username", "network")
    search_fields = ("username", "network")
    actions = ("unlock",)

    @admin.display(description=_("at"), ordering="at")
    def moment(self, attempt: LoginAttempt) -> str:
        return moment(attempt.at)

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("detection.delete_loginattempt"))

    @admin.action(description=_("Unlock: forget these failures"), permissions=["unlock"])
    @transaction.atomic
    def unlock(self, request: HttpRequest, attempts: QuerySet[LoginAttempt]) -> None:
        chosen: dict[str, Any] = {
            "users": sorted({attempt.username for attempt in attempts}),
            "addresses": sorted({attempt.network for attempt in attempts}),
        }
        LoginAttempt.objects.filter(pk__in=[attempt.pk for attempt in attempts]).delete()
        audit.record(AuditAction.UNLOCKED, request=request, details=chosen)
        self.message_user(request, _("These failures no longer count."), messages.SUCCESS)
