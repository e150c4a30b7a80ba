"""What officers and operators see and do: importing a module here registers its pages."""

from django.contrib import admin

from detection.admin import (  # noqa: F401 — importing registers
    audit,
    calibration,
    cameras,
    claims,
    episodes,
    evidence_section,
    health,
    setup,
    troubles,
    users,
    zones,
)
from detection.admin.login import LoginForm, with_record
from detection.admin.site_pages import with_site_pages

admin.site.index_template = "admin/detection/overview.html"
admin.site.login_form = LoginForm
admin.site.password_change = with_record(admin.site.password_change)  # type: ignore[method-assign, assignment]  # no setting
admin.site.get_urls = with_site_pages(admin.site.get_urls)  # type: ignore[method-assign]  # no setting
