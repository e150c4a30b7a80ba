"""Serves the admin: `gunicorn crimeops.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from crimeops.logging import redact_uncaught

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crimeops.settings")
redact_uncaught()
application = get_wsgi_application()
