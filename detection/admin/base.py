"""The admin classes all pages build on: unfold's, typed as Django's, and one only for reading."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.contrib.admin import ShowFacets
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from detection.admin.changes import ChangeMessage, describe
from detection.models import AuditAction, seen_by
from detection.models.access import camera_path
from detection.services import audit

# What an address may ask of a filter's field; anything else could probe what is not shown.
FILTER_LOOKUPS = {"exact", "isnull", "gt", "gte", "lt", "lte", "in", "day", "month", "year"}
FILTER_LOOKUPS |= {"id__exact", "pk__exact"}

_Row = TypeVar("_Row", bound=Model)

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _ModelAdmin
    from django.contrib.admin import StackedInline as StackedInline
else:
    from unfold.admin import ModelAdmin as _UnfoldModelAdmin
    from unfold.admin import StackedInline as _UnfoldStackedInline

    # unfold carries no types, and Django's admin classes cannot be subscripted at run time.
    class _ModelAdmin(_UnfoldModelAdmin):
        def __class_getitem__(cls, _: object) -> type:
            return cls

    class StackedInline(_UnfoldStackedInline):
        def __class_getitem__(cls, _: object) -> type:
            return cls


class ModelAdmin(_ModelAdmin[_Row]):
    """A page of ours. `empty_title` and `empty_text` say what to do while its list is empty.

    Rows that are about a camera are shown to those of its station only, and each change is audited.
    """

    empty_title: ClassVar[Any] = _("Nothing here yet")
    empty_text: ClassVar[Any] = ""
    list_fullwidth = True
    list_per_page = 50
    show_facets = ShowFacets.NEVER  # a count per filter choice is a query per filter choice

    # --- who sees what --------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[_Row]:
        rows: QuerySet[_Row] = _seen(request, super().get_queryset(request))
        return rows

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Another station's camera cannot be chosen, also not by writing its number."""
        related = db_field.remote_field.model
        kwargs.setdefault("queryset", _seen(request, related._default_manager.all()))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Only the filters that the page offers. Django allows any local field, and with it
        `?password__startswith=`."""
        for name in self._filtered_fields(request):
            if lookup == name or lookup.removeprefix(f"{name}__") in FILTER_LOOKUPS:
                return True
        return False

    def _filtered_fields(self, request: HttpRequest | None) -> Iterable[str]:
        # Without a request, Django asks for a link of its own making.
        filters = self.get_list_filter(request) if request else self.list_filter
        for listed in filters:
            name = listed[0] if isinstance(listed, (tuple, list)) else listed
            yield name if isinstance(name, str) else str(getattr(name, "parameter_name", ""))
        if self.date_hierarchy:
            yield self.date_hierarchy

    # --- what is written down -------------------------------------------------------------------

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> ChangeMessage:
        message = ChangeMessage(super().construct_change_message(request, form, formsets, add))
        message.details = describe(form, formsets)
        return message

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        audit.record(AuditAction.ADDED, request=request, subject=obj, details=_details(message))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        audit.record(AuditAction.CHANGED, request=request, subject=obj, details=_details(message))
        return super().log_change(request, obj, message)

    def log_act(self, request: HttpRequest, action: AuditAction, obj: Any, said: Any) -> None:
        """An act with a name of its own, into the row's history and the audit trail."""
        audit.record(action, request=request, subject=obj, details={"said": said})
        self.log_history(request, obj, said)

    def log_history(self, request: HttpRequest, obj: Any, said: Any) -> None:
        """Into the row's history alone: the service that acted has written the audit trail."""
        with translation.override("en"):
            super().log_change(request, obj, str(said))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in queryset:
            audit.record(AuditAction.DELETED, request=request, subject=row)
        return super().log_deletions(request, queryset)

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any) -> Any:
        """Django deletes chosen rows outside of a transaction, after it wrote that it did."""
        if request.POST.get("action") != "delete_selected":
            return super().response_action(request, queryset, *args)
        with transaction.atomic():
            return super().response_action(request, queryset, *args)


def _seen(request: HttpRequest, rows: Any) -> Any:
    return rows if camera_path(rows.model) is None else seen_by(request.user, rows)


def _details(message: Any) -> dict[str, Any]:
    if isinstance(message, ChangeMessage):
        return message.details
    return {"said": message} if isinstance(message, str) and message else {}


class ReadOnlyAdmin(ModelAdmin[_Row]):
    """For rows that only the workers write: nobody adds, changes or deletes them by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def key_of(text: str | None) -> int | None:
    """The primary key that an address gives; None for what cannot be one."""
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def signed_in(request: HttpRequest) -> AbstractUser:
    """The officer of a request that passed the admin's door."""
    assert isinstance(request.user, AbstractUser)
    return request.user
