"""Django's settings, built from the checked environment; nothing here is read from elsewhere."""

import os
import sys
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from crimeops.environment import BASE_DIR, Environment, password_in, read_environment_or_exit
from crimeops.logging import remember_secret
from crimeops.unfold import UNFOLD  # noqa: F401 — a setting of the admin's theme

ENVIRONMENT = read_environment_or_exit()
STATE_DIR = BASE_DIR / "var"
os.umask(0o077)  # database, pictures and logs are for this user alone
STATE_DIR.mkdir(exist_ok=True)

for secret in (
    ENVIRONMENT.secret_key,
    *ENVIRONMENT.credentials_key.split(","),
    ENVIRONMENT.model_api_key,
    ENVIRONMENT.flower_basic_auth.partition(":")[2],
    password_in(ENVIRONMENT.redis_url),
    password_in(ENVIRONMENT.database_url),
    password_in(str(ENVIRONMENT.backend_url)),
    ENVIRONMENT.evidence_bucket_access_key,
    ENVIRONMENT.evidence_bucket_secret_key,
):
    remember_secret(secret.strip(), for_good=True)

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = ENVIRONMENT.debug
ALLOWED_HOSTS = ENVIRONMENT.allowed_hosts

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "detection",
    "integrations",
]
MIDDLEWARE = [
    "crimeops.headers.BrowserRules",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "crimeops.sessions.SessionLimits",
    "detection.admin.language_and_zone.LanguageAndZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "crimeops.urls"
WSGI_APPLICATION = "crimeops.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _patience(seconds: float, asked: dict[str, str]) -> dict[str, object]:
    """How long a process waits for PostgreSQL; an operator's command waits as long as it takes.

    What the address asks for, as libpq names it (sslmode=verify-full …), comes before ours.
    """
    tcp = {"keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3}
    options: dict[str, object] = {"connect_timeout": max(2, round(seconds)), **tcp}
    if Path(sys.argv[0]).name == "manage.py":
        return {"OPTIONS": options | asked}
    milliseconds = round(seconds * 1000)
    options["tcp_user_timeout"] = milliseconds
    options["options"] = (
        f"-c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout=60000"
    )
    # The server ends what is slow, with time to say so: who is silent for longer is away.
    return {"OPTIONS": options | asked, "SILENCE_SECONDS": seconds + 1}


def _options_of(query: str) -> dict[str, str]:
    return {name: value for name, value in parse_qsl(query) if name != "host"}


def database(url: str) -> dict[str, object]:
    """Django's database settings for a postgres:// or sqlite:/// address."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = BASE_DIR / unquote(parts.path[1:])
        path.parent.mkdir(parents=True, exist_ok=True)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": path,
            "OPTIONS": {
                # Readers and one writer at once; a writer waits its turn from its first statement.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
            },
        }
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "crimeops.postgresql",
            "NAME": unquote(parts.path[1:]),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "".join(parse_qs(parts.query).get("host", [])),
            "PORT": str(parts.port or ""),
            # Of the web. Celery closes a task's connections at its end, so a sweep makes its own
            # each time, and a watch keeps its one for as long as it lasts.
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            **_patience(ENVIRONMENT.database_timeout, _options_of(parts.query)),
        }
    raise SystemExit(
        f"DATABASE_URL begins with {parts.scheme}://; it takes postgres:// or sqlite:///path"
    )


DATABASES = {"default": database(ENVIRONMENT.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "crimeops" / "locale"]
TIME_ZONE = ENVIRONMENT.time_zone
FORMAT_MODULE_PATH = ["crimeops.formats"]
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"


def evidence_storage(environment: Environment) -> dict[str, object]:
    """A folder, or a bucket where one is named."""
    if not environment.evidence_bucket:
        options = {"location": BASE_DIR / environment.evidence_dir, "allow_overwrite": True}
        return {"BACKEND": "detection.evidence.storage.WholeFileStorage", "OPTIONS": options}
    return {
        "BACKEND": "detection.evidence.s3.BucketStorage",
        "OPTIONS": {
            "bucket_name": environment.evidence_bucket,
            "endpoint_url": environment.evidence_bucket_server or None,
            "region_name": environment.evidence_bucket_region,
            "access_key": environment.evidence_bucket_access_key,
            "secret_key": environment.evidence_bucket_secret_key,
            "default_acl": "private",
            "path_style": environment.evidence_bucket_path_style,
            "timeout": environment.evidence_bucket_timeout,
        },
    }


STORAGES = {
    "default": evidence_storage(ENVIRONMENT),
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

SESSION_COOKIE_AGE = int(ENVIRONMENT.session_hours * 3600)
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.behind_tls
SECURE_SSL_REDIRECT = ENVIRONMENT.behind_tls
SECURE_HSTS_SECONDS = 31_536_000 if ENVIRONMENT.behind_tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = ENVIRONMENT.behind_tls
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.behind_tls else None

TALKATIVE = ("urllib3", "kasa", "pytapo", "asyncio", "kombu", "boto3", "botocore", "s3transfer")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "crimeops.logging.RedactionFilter"}},
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["redact"],
            "formatter": "line",
        },
    },
    "root": {"handlers": ["console"], "level": ENVIRONMENT.log_level},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # Each receipt of a doorbell at INFO would drown everything else.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        # They would say at DEBUG what they send, in forms that no filter knows.
        **{name: {"level": "INFO"} for name in TALKATIVE},
    },
}

# Adapters by name, imported on first use. A new one is one line here and one file of its own.
CAMERA_REGISTRIES = {
    "laravel": "integrations.laravel.registry.LaravelRegistry",
    "local": "detection.registries.LocalRegistry",
}
REPORTERS = {"laravel": "integrations.laravel.reporter.LaravelReporter"}
ALARMS = {
    "tapo": "integrations.alarms.tapo.TapoAlarm",
    "backend": "integrations.alarms.backend.BackendAlarm",
    "onvif": "integrations.alarms.onvif.OnvifAlarm",
}
DETECTION_RULES = {
    "trespassing": "detection.rules.trespassing.Trespassing",
    "loitering": "detection.rules.loitering.Loitering",
    "pacing": "detection.rules.pacing.Pacing",
    "running": "detection.rules.running.Running",
    "crowd": "detection.rules.crowd.Crowd",
    "break_in": "detection.rules.break_in.BreakIn",
    "vehicle_break_in": "detection.rules.vehicle_break_in.VehicleBreakIn",
    "theft": "detection.rules.theft.Theft",
    "robbery": "detection.rules.robbery.Robbery",
    "fighting": "detection.rules.fighting.Fighting",
    "assault": "detection.rules.assault.Assault",
    "vandalism": "detection.rules.vandalism.Vandalism",
    "named": "detection.rules.named.Named",
}
