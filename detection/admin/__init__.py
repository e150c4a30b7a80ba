"""What officers and operators see and do: importing a module here registers its pages."""

from django.contrib import admin

from detection.admin import (  # noqa: F401 — importing registers
    audit,
    calibration,
    cameras,
    claims,
    episodes,
    health,
    setup,
    troubles,
    users,
    zones,
)
from detection.admin.login import LoginForm, with_record

admin.site.index_template = "admin/detection/overview.html"
admin.site.login_form = LoginForm
admin.site.password_change = with_record(admin.site.password_change)  # type: ignore[method-assign, assignment]  # no setting
