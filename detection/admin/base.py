"""The admin classes all pages build on: unfold's, typed as Django's, and one only for reading."""

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from django.contrib.admin import ShowFacets
from django.contrib.auth.models import AbstractUser
from django.db.models import Model
from django.http import HttpRequest

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
    """A page of ours. `empty_title` and `empty_text` say what to do while its list is empty."""

    empty_title: ClassVar[str] = "Nothing here yet"
    empty_text: ClassVar[str] = ""
    list_fullwidth = True
    list_per_page = 50
    show_facets = ShowFacets.NEVER  # a count per filter choice is a query per filter choice


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
