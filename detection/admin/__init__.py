"""What officers and operators see and do: importing a module here registers its pages."""

from django.contrib import admin

from detection.admin import cameras, claims, episodes, users, zones  # noqa: F401 — importing registers

admin.site.index_template = "admin/detection/overview.html"
