"""The whole app but for the live streams, for any WSGI server; config/asgi.py serves this and them."""

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from accounts.checks import safe_settings  # noqa: E402 (only now are the apps there)

# Django's commands check the settings by themselves, a server does not: here it refuses what would be unsafe.
if refusals := safe_settings(None):
    sys.exit("Phasewise does not start:\n" + "\n".join(str(refusal) for refusal in refusals))
