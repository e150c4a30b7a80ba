"""The form of a camera: credentials go in and never come out.

The model's credential fields are no fields of the form. Each has a write-only input of its own that
is always empty, so neither a page, nor a validation error, nor a read-only view can show one.
"""

from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.telling import told
from detection.models import Camera
from detection.ports import SourceError
from detection.sources.addresses import check_address, check_network, with_login

if TYPE_CHECKING:
    from django.forms import CheckboxSelectMultiple, PasswordInput

    _CameraForm = forms.ModelForm[Camera]
else:
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as CheckboxSelectMultiple
    from unfold.widgets import UnfoldAdminPasswordWidget as PasswordInput

    _CameraForm = forms.ModelForm  # cannot be subscripted at run time

CREDENTIALS = {
    "stream_url": _("Stream address"),
    "username": _("User name"),
    "password": _("Password"),
    "control_password": _("Tapo account password"),
}
LOCAL_REGISTRY = "local"
NEW_HELP = {
    "stream_url": _("Like rtsp://10.1.2.3:554/stream2. The smaller stream of a camera is enough."),
    "username": _("Of the camera's own account, where the address does not hold it."),
    "control_password": _("For the siren, where it differs from the camera account's."),
}

_Row = TypeVar("_Row", bound=Model)


def without_credentials(rows: QuerySet[_Row], path: str = "") -> QuerySet[_Row]:
    """Leave the encrypted columns in the database; `path` leads to the camera, as in `camera`."""
    prefix = f"{path}__" if path else ""
    return rows.defer(*(f"{prefix}{name}" for name in CREDENTIALS))


def shown_stream(url: str) -> str:
    """The stream address without what may hold a user or a password, in whatever way it is written.

    Cameras take them before the host, in the query and even in the path (`/user=a&password=b`), and
    passwords hold unescaped `@`, `/` and `?`: so everything up to the last `@` goes, and everything
    from the first sign of a parameter on.
    """
    if not url:
        return gettext("not set")
    scheme, separator, rest = url.rpartition("://")
    rest = rest.rpartition("@")[2]
    for sign in "?#;&=":
        if sign in rest:
            kept = rest.partition(sign)[0]
            rest = f"{kept.rpartition('/')[0] if sign == '=' else kept}/…"
    return f"{scheme.partition('://')[0]}{separator}{rest}"


def _write_only(label: Any, *, strip: bool) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        strip=strip,
        help_text=_("Leave empty to keep what is stored."),
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class CameraForm(_CameraForm):
    """Empty credential inputs keep what is stored; `forget` removes it."""

    new_stream_url = _write_only(CREDENTIALS["stream_url"], strip=True)
    new_username = _write_only(CREDENTIALS["username"], strip=True)
    new_password = _write_only(CREDENTIALS["password"], strip=False)
    new_control_password = _write_only(CREDENTIALS["control_password"], strip=False)
    forget = forms.MultipleChoiceField(
        label=_("Forget"),
        required=False,
        choices=[(name, label) for name, label in CREDENTIALS.items() if name != "stream_url"],
        widget=CheckboxSelectMultiple,
        help_text=_("Removes the stored value."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.registry != LOCAL_REGISTRY:
            self._leave_to_registry()
        for name in CREDENTIALS:
            field = self.fields.get(f"new_{name}")
            if field is not None and self.instance.pk is None:
                field.help_text = NEW_HELP.get(name, "")
            elif field is not None:
                stored = bool(getattr(self.instance, name))
                field.widget.attrs["placeholder"] = gettext("set") if stored else gettext("not set")

    def _leave_to_registry(self) -> None:
        for name in ("stream_url", "username", "password"):
            del self.fields[f"new_{name}"]
        forget = self.fields["forget"]
        assert isinstance(forget, forms.MultipleChoiceField)
        forget.choices = [("control_password", CREDENTIALS["control_password"])]

    def clean_new_stream_url(self) -> str:
        """The message names no part of the address: it may hold a password."""
        url: str = self.cleaned_data["new_stream_url"]
        try:
            if url:
                check_address(url, allow_files=settings.ENVIRONMENT.allow_file_sources)
        except SourceError as error:
            raise forms.ValidationError(told(str(error))) from None
        return url

    def clean_control_address(self) -> str:
        """`host` or `host:port` in the cameras' networks: a login goes there."""
        address: str = self.cleaned_data["control_address"]
        host, separator, port = address.partition(":")
        if separator and not (port.isdigit() and 0 < int(port) < 65_536):
            raise forms.ValidationError(_("write it as host or host:port"))
        try:
            if address:
                check_network(host, settings.ENVIRONMENT.camera_networks)
        except SourceError as error:
            raise forms.ValidationError(told(str(error))) from None
        return address

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name in self.cleaned_data.get("forget", []):
            if self.cleaned_data.get(f"new_{name}"):
                text = gettext("%(name)s: either forget it or set a new one")
                self.add_error("forget", text % {"name": CREDENTIALS[name]})
        return cleaned

    def changed_credentials(self) -> dict[str, str]:
        """New values by model field; what was left empty is not among them."""
        forgotten = dict.fromkeys(self.cleaned_data.get("forget", []), "")
        given = {name: self.cleaned_data.get(f"new_{name}") for name in CREDENTIALS}
        login = (given["username"] or "", given["password"] or "")
        given["stream_url"] = with_login(given["stream_url"] or "", *login)
        return forgotten | {name: value for name, value in given.items() if value}

    def save(self, commit: bool = True) -> Camera:
        for name, value in self.changed_credentials().items():
            setattr(self.instance, name, value)
        return super().save(commit)
