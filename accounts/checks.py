"""Refusals at start: settings that would be unsafe in production, each with its reason. config/wsgi.py asks too."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, register

LOCAL = {"localhost", "127.0.0.1", "[::1]"}


@register()
def safe_settings(app_configs, **kwargs):
    """Return an Error for every setting that must not reach production."""
    if settings.TESTING:
        return []
    found = _database()
    if not settings.EMBEDDED:  # a trial on this machine makes its own key and listens to whoever calls
        found += [*_secret_key(), *_hosts(), *_debug()]
    return [*found, *_addresses()]


def _secret_key():
    key = settings.SECRET_KEY  # an empty one Django itself refuses
    if settings.DEBUG:
        return []
    if len(key) < 50 or len(set(key)) < 8:
        said = "SECRET_KEY is shorter than 50 characters, or hardly varied."
    elif key.startswith("django-insecure-"):
        said = "SECRET_KEY was made for development."
    else:
        return []
    return [Error(said, "Sessions and links are signed with it: set a long random one.", id="phasewise.E002")]


def _hosts():
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Links in mails are built from the host: name yours."
        return [Error("ALLOWED_HOSTS is '*'.", hint, id="phasewise.E003")]
    if not settings.ALLOWED_HOSTS:
        return [Error("ALLOWED_HOSTS is empty.", "Name the hosts under which people come.", id="phasewise.E003")]
    return []


def _debug():
    if settings.DEBUG and set(settings.ALLOWED_HOSTS) - LOCAL:
        said = "DEBUG is on while ALLOWED_HOSTS names a public host."
        return [
            Error(said, "Its error pages show settings and data to everybody. Set DEBUG=false.", id="phasewise.E001")
        ]
    return []


def _database():
    """Refuse what could lose a move that was confirmed to somebody."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        if settings.SQLITE_SYNCHRONOUS.upper() not in ("FULL", "EXTRA"):
            said = f"SQLITE_SYNCHRONOUS={settings.SQLITE_SYNCHRONOUS} can lose confirmed moves in a power cut."
            return [Error(said, "Leave it at FULL.", id="phasewise.E004")]
        if ":memory:" in str(database["NAME"]):
            return [Error("The database is in memory.", "It would be gone with the process.", id="phasewise.E004")]
    elif "synchronous_commit=off" in str(database.get("OPTIONS", {})).replace(" ", "").lower():
        said = "synchronous_commit is off: confirmed moves can be lost."
        return [Error(said, "Leave it on.", id="phasewise.E005")]
    return []


def _addresses():
    """Refuse what would only show in a mail that nobody can follow."""
    found = []
    base = urlsplit(settings.BASE_URL)
    if settings.BASE_URL and (base.scheme not in ("http", "https") or not base.netloc or base.path not in ("", "/")):
        said = f"BASE_URL={settings.BASE_URL} is no address of a site."
        found.append(Error(said, "Write it like https://phasewise.example", id="phasewise.E006"))
    if settings.ACCOUNT_EMAIL_VERIFICATION not in ("mandatory", "optional", "none"):
        said = f"EMAIL_VERIFICATION={settings.ACCOUNT_EMAIL_VERIFICATION} is unknown."
        found.append(Error(said, "It is mandatory, optional or none.", id="phasewise.E007"))
    return found
