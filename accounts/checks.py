"""Refusals at start: settings that would be unsafe in production, each with its reason."""

from django.conf import settings
from django.core.checks import Error, register


@register()
def safe_settings(app_configs, **kwargs):
    """Return an Error for every setting that must not reach production."""
    if settings.EMBEDDED or settings.TESTING:
        return []
    local = {"localhost", "127.0.0.1", "[::1]"}
    found = []
    if settings.DEBUG and set(settings.ALLOWED_HOSTS) - local:
        found.append(
            Error("DEBUG is on while ALLOWED_HOSTS names a public host.", "Set DEBUG=false.", id="phasewise.E001")
        )
    if not settings.DEBUG and len(settings.SECRET_KEY) < 50:
        found.append(
            Error(
                "SECRET_KEY is missing or shorter than 50 characters.",
                "Sessions and links are signed with it: set a long random one.",
                id="phasewise.E002",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Error("ALLOWED_HOSTS is '*'.", "Links in mails are built from the host: name yours.", id="phasewise.E003")
        )
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3") and settings.SQLITE_SYNCHRONOUS.upper() not in ("FULL", "EXTRA"):
        found.append(
            Error(
                f"SQLITE_SYNCHRONOUS={settings.SQLITE_SYNCHRONOUS} can lose confirmed moves in a power cut.",
                "Leave it at FULL.",
                id="phasewise.E004",
            )
        )
    if "synchronous_commit=off" in str(database.get("OPTIONS", {})).replace(" ", ""):
        found.append(
            Error("synchronous_commit is off: confirmed moves can be lost.", "Leave it on.", id="phasewise.E005")
        )
    return found
