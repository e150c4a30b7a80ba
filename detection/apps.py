"""Django's handle on the seeing half."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

from crimeops.translations import translate_models


class DetectionConfig(AppConfig):
    name = "detection"
    verbose_name = _("Detection")

    def ready(self) -> None:
        translate_models()
        # After the permissions of each app, which django.contrib.auth writes by the same signal.
        post_migrate.connect(_write_roles, dispatch_uid="detection.roles")


def _write_roles(app_config: AppConfig, using: str, **_: Any) -> None:
    from detection.services.roles import write_roles  # models are not there when this is imported

    if app_config.label in {"detection", "integrations"} and using == "default":
        write_roles()
