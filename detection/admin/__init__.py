"""What officers and operators see and do: importing a module here registers its pages."""

from detection.admin import cameras, claims, episodes, users, zones  # noqa: F401
