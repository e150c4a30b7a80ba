"""A filter by camera for every list of things that happened at one."""

from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from detection.admin.base import key_of
from detection.models import Camera, seen_by

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter


class CameraFilter(DropdownFilter):
    """Cameras by name; Django's own filter would load and decrypt each of them."""

    title = gettext_lazy("camera")
    parameter_name = "camera"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, Any]]:
        cameras = seen_by(request.user, Camera.objects.all())
        rows = cameras.order_by(F("removed_at").asc(nulls_first=True), "name", "pk")
        return [
            (str(pk), f"{name} ({_('removed')})" if removed_at else name)
            for pk, name, removed_at in rows.values_list("pk", "name", "removed_at")
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        camera_id = key_of(self.value())
        return queryset if camera_id is None else queryset.filter(camera_id=camera_id)
