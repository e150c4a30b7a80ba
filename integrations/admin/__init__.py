"""What officers and operators see of telling: importing a module here registers its pages."""

from integrations.admin import cameras, deliveries, episodes, sirens  # noqa: F401 — importing registers
