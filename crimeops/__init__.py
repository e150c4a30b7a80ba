"""The door: settings, queues and addresses. It knows names, never classes."""

from crimeops.celery import app as celery_app

__all__ = ["celery_app"]
