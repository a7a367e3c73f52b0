"""The whole app but for the live streams, for any WSGI server; config/asgi.py serves this and them."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
