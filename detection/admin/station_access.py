"""A user's stations, on the user's page."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from detection.admin.base import StackedInline, signed_in
from detection.models import StationAccess, stations_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser, User

    _Form = forms.ModelForm[StationAccess]
    _Inline = StackedInline[StationAccess, User]
else:
    from unfold.widgets import UnfoldAdminTextInputWidget

    _Form, _Inline = forms.ModelForm, StackedInline


class StationsField(forms.CharField):
    """Numbers with commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        words = [word.strip() for word in str(value or "").split(",") if word.strip()]
        if not all(word.isdecimal() and len(word) < 19 for word in words):
            raise forms.ValidationError(_("Give the stations' numbers with commas between: 3, 7"))
        return sorted({int(word) for word in words})

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except forms.ValidationError:
            return True


def gives_no_more(giver: "AbstractUser", stations: list[int] | None) -> bool:
    """Whether the giver sees all of the stations; None are all that there are."""
    own = stations_of(giver)
    return own is None or (stations is not None and set(own) >= set(stations))


class StationAccessForm(_Form):
    giver: ClassVar["AbstractUser"]
    stations = StationsField(
        label=_("stations"),
        required=False,
        help_text=_("Numbers of police stations with commas between: 3, 7"),
    )

    class Meta:
        model = StationAccess
        fields = ("all_stations", "stations")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not TYPE_CHECKING and "stations" in self.fields:
            self.fields["stations"].widget = UnfoldAdminTextInputWidget()

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        wanted = None if cleaned.get("all_stations") else cleaned.get("stations", [])
        if not gives_no_more(self.giver, wanted):
            self.add_error("stations", _("Give only stations that you have yourself."))
        return cleaned


class StationAccessInline(_Inline):
    model = StationAccess
    form = StationAccessForm
    max_num = 1
    can_delete = False
    fields = ("all_stations", "stations")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.form = type("_GivenForm", (formset.form,), {"giver": signed_in(request)})
        return formset

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and _may_give(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_give(request, obj)


def _may_give(request: HttpRequest, user: Any) -> bool:
    """Nobody but a superuser gives stations to themselves."""
    officer = signed_in(request)
    return officer.is_superuser or user != officer
