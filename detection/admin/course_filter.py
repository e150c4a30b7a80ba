"""A filter by course for every list of things that begin and end."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class CourseFilter(admin.SimpleListFilter):
    """What goes on, and what is over; `going_on` tells them apart."""

    title = _("course")
    parameter_name = "course"
    going_on: ClassVar[Q]
    going_on_label = _("Going on")

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        return [("open", self.going_on_label), ("over", _("Over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "open":
                return queryset.filter(self.going_on)
            case "over":
                return queryset.exclude(self.going_on)
        return queryset
