"""Django's handle on the telling half; it listens to what is seen."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"

    def ready(self) -> None:
        from integrations import receivers  # noqa: F401 — importing connects the signals
