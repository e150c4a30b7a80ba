"""The same pages over ASGI, for the live view to come."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crimeops.settings")
application = get_asgi_application()
