"""A page on which the settings of a site, a camera or a zone are seen and changed, rule by rule."""

from typing import Any, TypeVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from detection.admin.base import ModelAdmin, signed_in
from detection.admin.presentation import page_of
from detection.admin.settings_form import SettingsForm
from detection.admin.settings_summary import summary_of
from detection.models import Camera, Site, Zone
from detection.rules.settings import SettingsError
from detection.services.rule_settings import ChangedMeanwhile, save_settings

_Owner = TypeVar("_Owner", Site, Camera, Zone)


def settings_cell(owner: Any) -> str:
    """What is set, and the way to its page; a new row has none yet."""
    if owner.pk is None:
        return gettext("offered here once it is saved")
    address = reverse(f"admin:detection_{owner._meta.model_name}_settings", args=[owner.pk])
    return format_html(
        '<span class="co-two-lines"><span>{}</span><a class="co-link" href="{}">{}</a></span>',
        summary_of(owner),
        address,
        _("Show and change all settings"),
    )


MEANWHILE = _("Somebody changed these settings meanwhile. Here they are anew; set yours again.")


class WithSettings(ModelAdmin[_Owner]):
    """A page whose rows have settings, on a page of their own."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.settings_page)
        name = f"detection_{self.opts.model_name}_settings"
        return [path("<int:key>/settings/", page, name=name), *super().get_urls()]

    def settings_page(self, request: HttpRequest, key: int) -> HttpResponse:
        owner = self.get_object(request, str(key))
        if owner is None:
            raise Http404
        if not self.has_view_or_change_permission(request, owner):
            raise PermissionDenied
        may_change = self.has_change_permission(request, owner)
        if request.method != "POST":
            return self._show(request, owner, SettingsForm(owner), may_change)
        if not may_change:
            raise PermissionDenied
        form = SettingsForm(owner, request.POST)
        if form.is_valid() and self._save(request, owner, form):
            return HttpResponseRedirect(request.path)
        return self._show(request, owner, form, may_change)

    def _save(self, request: HttpRequest, owner: _Owner, form: SettingsForm) -> bool:
        """False where the form has learnt of a fault."""
        try:
            if form.changed_meanwhile():
                raise ChangedMeanwhile
            changed = save_settings(
                owner=owner,
                layer=form.layer(),
                by=signed_in(request),
                expected=owner.rule_settings,
                request=request,
            )
        except ChangedMeanwhile:
            messages.error(request, MEANWHILE)
            return True
        except SettingsError as error:
            form.show_faults(error.faults)
            return False
        if changed:
            self.log_history(request, owner, "Changed settings.")
            messages.success(request, _("Saved. It is in force within seconds."))
        else:
            messages.info(request, _("Nothing was changed."))
        return True

    def _show(
        self, request: HttpRequest, owner: _Owner, form: SettingsForm, may_change: bool
    ) -> HttpResponse:
        if not may_change:
            for field in form.fields.values():
                field.disabled = True
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": gettext("Settings of %(owner)s") % {"owner": _named(owner)},
            "opts": self.opts,
            "form": form,
            "sections": form.shown_sections(),
            "broken": form.faults(),
            "may_change": may_change,
            "back": page_of(f"detection_{self.opts.model_name}", owner.pk),
            "back_text": gettext("Back to %(owner)s") % {"owner": _named(owner)},
            "inherits": _inherits(owner),
        }
        return render(request, "admin/detection/settings.html", context)


def _named(owner: Any) -> str:
    if isinstance(owner, Site):
        return gettext("the site")
    if isinstance(owner, Camera):
        return owner.name
    return gettext("%(zone)s (%(kind)s), %(camera)s") % {
        "zone": owner.name,
        "kind": owner.get_kind_display(),
        "camera": owner.camera.name,
    }


def _inherits(owner: Any) -> str:
    if isinstance(owner, Site):
        return gettext("These hold for every camera that does not say otherwise.")
    if isinstance(owner, Camera):
        return gettext("An empty field takes the site's word.")
    return gettext("An empty field takes the camera's word.")
