"""Serves the admin: `gunicorn crimeops.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crimeops.settings")
application = get_wsgi_application()
