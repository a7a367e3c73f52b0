"""The one settings file: the environment decides, and what would be unsafe in production is refused (config/checks.py)."""

import secrets
from pathlib import Path

import environ
from django.utils.csp import CSP

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# EMBEDDED is set by bin/run: a trial on this machine over plain http, with its secret key kept in var/.
EMBEDDED = env.bool("EMBEDDED", default=False)
DEBUG = env.bool("DEBUG", default=False)
TESTING = env.bool("TESTING", default=False)
VAR_DIR = Path(env("VAR_DIR", default=str(BASE_DIR / "var")))


def _embedded_key() -> str:
    """Return the trial's secret key, made once and kept out of the repository."""
    path = VAR_DIR / "secret-key"
    if not path.exists():
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY = env("SECRET_KEY", default="") or (_embedded_key() if EMBEDDED or DEBUG else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if EMBEDDED else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BASE_URL = env("BASE_URL", default="")  # written into mails; empty: taken from the request

INSTALLED_APPS = [
    "accounts",
    "contacts",
    "boards",
    "automations",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_ox",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.BusinessMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["accounts.templatetags.house"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.house",
            ],
        },
    }
]

# Database ---------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'phasewise.sqlite3'}")}
_db = DATABASES["default"]
SQLITE_SYNCHRONOUS = env("SQLITE_SYNCHRONOUS", default="FULL")
if _db["ENGINE"].endswith("sqlite3"):
    if _db["NAME"] != ":memory:":
        Path(_db["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    # IMMEDIATE: a transaction that reads and then writes never loses the race for the lock half way.
    # FULL: what was confirmed is on the disk, also after a power cut.
    _db["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            f"PRAGMA journal_mode=WAL;PRAGMA synchronous={SQLITE_SYNCHRONOUS};PRAGMA journal_size_limit=27103364;"
            "PRAGMA cache_size=-20000;PRAGMA mmap_size=134217728;PRAGMA temp_store=MEMORY;"
        ),
    }
    _db["CONN_MAX_AGE"] = None
else:
    _db["OPTIONS"] = {
        "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL", default=10), "timeout": 20},
        # Statements that a connection has seen before are neither parsed nor planned again: half of PostgreSQL's work.
        "server_side_binding": True,
        "prepare_threshold": 5,
        **_db.get("OPTIONS", {}),
    }
    _db["CONN_MAX_AGE"] = 0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The rate limits of the sign-in pages count in the cache, so it must be shared by all web processes.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
    }
}

_https = not (EMBEDDED or DEBUG) and env.bool("HTTPS", default=True)

# People -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.sessions.Doorkeeper"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "accounts.models.user.display_name"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"signup": "accounts.forms.SignupForm"}
# With a mail server an address is proven before it is believed, and signing up tells nobody who has an account.
ACCOUNT_EMAIL_VERIFICATION = env(
    "EMAIL_VERIFICATION", default="mandatory" if env("EMAIL_URL", default="") else "optional"
)
ACCOUNT_CHANGE_EMAIL = True  # one address each; a new one holds once it is confirmed
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _https else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Phasewise"
# Behind a reverse proxy the visitor's address is the last one that a proxy of ours wrote; without one, the peer.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Security ---------------------------------------------------------------------------------------------
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^up$"]
SECURE_HSTS_SECONDS = 31536000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
# Preloading cannot be taken back for months, so it is the operator's decision, made at the reverse proxy.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_NAME = "__Host-session" if _https else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _https else "csrf"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "accounts.views.errors.csrf_failed"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "connect-src": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
API_REQUESTS_A_MINUTE = env.int("API_REQUESTS_A_MINUTE", default=1200)  # of one token; 0: no limit
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
FILE_MEGABYTES = env.int("FILE_MEGABYTES", default=10)  # of one file
FILES_MEGABYTES = env.int("FILES_MEGABYTES", default=500)  # of all files of a business
BODY_BYTES = max(25_000_000, (FILE_MEGABYTES + 5) * 1024 * 1024)  # the most that a request may bring

# Static files, mail, background work ------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
_manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"
_plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _plain if DEBUG or TESTING else _manifest},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG or TESTING

MAIL_DIR = VAR_DIR / "mail"
_mail = env.email("EMAIL_URL", default="smtp://")
if _mail["EMAIL_HOST"]:
    _options = {"host": _mail["EMAIL_HOST"], "port": _mail["EMAIL_PORT"] or 25, "timeout": 20}
    _options |= {"username": _mail["EMAIL_HOST_USER"], "password": _mail["EMAIL_HOST_PASSWORD"]}
    _options |= {"use_tls": _mail.get("EMAIL_USE_TLS", False), "use_ssl": _mail.get("EMAIL_USE_SSL", False)}
    MAILERS = {"default": {"BACKEND": _mail["EMAIL_BACKEND"], "OPTIONS": _options}}
else:
    # Without a mail server every mail is a readable file in var/mail.
    _files = "django.core.mail.backends.filebased.EmailBackend"
    MAILERS = {"default": {"BACKEND": _files, "OPTIONS": {"file_path": str(MAIL_DIR)}}}
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Phasewise <phasewise@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

_by_the_clock = {
    "sweep": {"task": "automations.tasks.sweep", "every": 60},
    "forget": {"task": "automations.tasks.forget", "every": 3600},
}
TASKS = {"default": {"BACKEND": "django_ox.backend.OxBackend", "OPTIONS": {"SCHEDULES": _by_the_clock}}}

# Calling strangers: webhooks ---------------------------------------------------------------------------
# Hosts of ours that may be called although they are private: names or name:port, for an intranet or a test.
OUTBOUND_ALLOWED_HOSTS = env.list("OUTBOUND_ALLOWED_HOSTS", default=[])
OUTBOUND_PORTS = env.list("OUTBOUND_PORTS", cast=int, default=[])  # besides 80 and 443
OUTBOUND_HTTP = env.bool("OUTBOUND_HTTP", default=EMBEDDED or DEBUG)  # without encryption

# Rules: how many a business has, how many may follow from one another, how much one event may lead to ----
RULES_MOST = env.int("RULES_MOST", default=200)
RULES_DEPTH = env.int("RULES_DEPTH", default=10)
RULES_ACTIONS = env.int("RULES_ACTIONS", default=100)
RULES_AN_HOUR = env.int("RULES_AN_HOUR", default=5000)

# Mails that leave within 24 hours: of one business to one address, and of one business.
MAILS_A_DAY_EACH = env.int("MAILS_A_DAY_EACH", default=20)
MAILS_A_DAY = env.int("MAILS_A_DAY", default=2000)

# For how many days what has ended is kept: runs of rules, mails and calls, what people were told. A month's days that came
# round, and whatever is younger, must be remembered, or they would be heeded again.
LOGS_KEPT_DAYS = max(env.int("LOGS_KEPT_DAYS", default=400), 90)

# Words and times --------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # stored; shown in the business's own zone by the middleware

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="WARNING")},
    "loggers": {"django.tasks": {"level": env("LOG_LEVEL", default="WARNING")}},
}
