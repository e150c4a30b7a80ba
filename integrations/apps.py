"""Django's handle on the telling half; it listens to what is seen."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    name = "integrations"
    verbose_name = _("Reports and sirens")

    def ready(self) -> None:
        from integrations import receivers  # noqa: F401 — importing connects the signals
