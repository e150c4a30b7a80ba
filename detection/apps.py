"""Django's handle on the seeing half."""

from django.apps import AppConfig


class DetectionConfig(AppConfig):
    name = "detection"
