"""The only reader of the environment. Every variable is described in `.env.example`."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from celery.schedules import crontab
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from eleven_tutors.hosting import development_keys, video_delivery, video_key_stores, video_store
from eleven_tutors.reports import without_addresses
from eleven_tutors.routes import default_routes, stand_ins
from eleven_tutors.storage import bucket_options

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Env()
if env.bool("READ_DOTENV", True):
    env.read_env(str(BASE_DIR / ".env"), recurse=False)
VAR_DIR = Path(env.str("VAR_DIR", str(VAR_DIR)))

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured("SECRET_KEY is not set. Production needs one of 50 random characters or more.")
    SECRET_KEY = "development-only-key-that-never-leaves-this-machine-and-signs-nothing-of-worth"  # noqa: S105
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
FRONTEND_URL = env.str("FRONTEND_URL", "http://127.0.0.1:8000").rstrip("/")
PUBLIC_URL = env.str("PUBLIC_URL", FRONTEND_URL).rstrip("/")
SANDBOX_URL = env.str("SANDBOX_URL", "").rstrip("/")
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", [])
_TUS_REQUEST_HEADERS = (
    *("tus-resumable", "upload-length", "upload-metadata", "upload-offset", "upload-checksum"),
    *("x-http-method-override", "x-request-id"),
)
_TUS_ANSWER_HEADERS = (
    *("Location", "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires"),
    *("Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"),
)
CORS_ALLOW_HEADERS = [*default_headers, "x-device-id", "if-none-match", *_TUS_REQUEST_HEADERS]
CORS_EXPOSE_HEADERS = ["ETag", "Retry-After", *_TUS_ANSWER_HEADERS, "X-Licence-Error"]
# Playlists and media name their viewing in the address: their views let pages of every origin load them.
CORS_URLS_REGEX = r"^(?!/api/videos/(?:media/|pictures/|[0-9a-f-]{36}/manifest/))"
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
TRUSTED_PROXIES: list[str] = env.list("TRUSTED_PROXIES", [])

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "django_filters",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "anymail",
    "mailing",
    "users",
    "videos",
    "videos.hosted",
    "courses",
    "payments",
    "eleven_tutors",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "eleven_tutors.urls"
WSGI_APPLICATION = "eleven_tutors.wsgi.application"
ASGI_APPLICATION = "eleven_tutors.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database and cache ---------------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": dict(
        dj_database_url.parse(
            env.str("DATABASE_URL", "") or f"sqlite:///{VAR_DIR / 'db.sqlite3'}",
            conn_max_age=600,
            conn_health_checks=True,
        )
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", "")
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "eleven_tutors.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "eleven-tutors",
        "OPTIONS": {"MAX_ENTRIES": 20_000},  # past it the oldest throttle counts are forgotten
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db" if REDIS_URL else "django.contrib.sessions.backends.db"

# --- Background work ------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "") or f"sqla+sqlite:///{VAR_DIR / 'celery-broker.sqlite3'}"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"videos.hosted.run_steps": {"queue": "transcode"}}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {} if CELERY_BROKER_URL.startswith("sqla+") else {"socket_connect_timeout": 2, "socket_timeout": 5}
)
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "mailing.sweep": {"task": "mailing.sweep", "schedule": 30.0},
    "courses.send_updates": {"task": "courses.send_updates", "schedule": 60.0},
    "videos.poll_assets": {"task": "videos.poll_assets", "schedule": 30.0},
    "videos.push_captions": {"task": "videos.push_captions", "schedule": 60.0},
    "videos.monitor": {"task": "videos.monitor", "schedule": 300.0},
    "videos.measure_usage": {"task": "videos.measure_usage", "schedule": 86400.0},
    "videos.report_unused": {"task": "videos.report_unused", "schedule": 7 * 86400.0},
    "videos.reap_uploads": {"task": "videos.reap_uploads", "schedule": 3600.0},
    "videos.roll_up": {"task": "videos.roll_up", "schedule": 60.0},
    "videos.find_unusual_use": {"task": "videos.find_unusual_use", "schedule": 3600.0},
    "videos.prune": {"task": "videos.prune", "schedule": 7 * 86400.0},
    "videos.forget_addresses": {"task": "videos.forget_addresses", "schedule": 86400.0},
    "videos.hosted.sweep": {"task": "videos.hosted.sweep", "schedule": 30.0},
    "videos.hosted.raise_alarms": {"task": "videos.hosted.raise_alarms", "schedule": 60.0},
    "videos.hosted.sweep_thoroughly": {"task": "videos.hosted.sweep_thoroughly", "schedule": 86400.0},
    "payments.expire_orders": {"task": "payments.expire_orders", "schedule": 300.0},
    "payments.resume_refunds": {"task": "payments.resume_refunds", "schedule": 60.0},
    "payments.reconcile": {"task": "payments.reconcile", "schedule": 900.0, "args": [2]},
    "payments.reconcile_nightly": {"task": "payments.reconcile", "schedule": crontab(hour=3, minute=20), "args": [72]},
    "payments.prune_webhook_events": {"task": "payments.prune_webhook_events", "schedule": 86400.0},
    "payments.check_account": {"task": "payments.check_account", "schedule": 86400.0},
    "users.flush_expired_tokens": {"task": "users.flush_expired_tokens", "schedule": 86400.0},
}

# --- Accounts -------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "users.User"
LOGIN_REDIRECT_URL = "admin:index"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # the e-mail is unique by a constraint on Lower("email")
AUTHENTICATION_BACKENDS = ["users.authentication.EmailBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_RESET_TIMEOUT = 3600
EMAIL_VERIFICATION_MAX_AGE_S = 3 * 24 * 3600
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": False,
    "UPDATE_LAST_LOGIN": False,
}

# --- API ------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["eleven_tutors.parsers.Json"],
    "DEFAULT_PAGINATION_CLASS": "eleven_tutors.api.Pagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_standardized_errors.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "DEFAULT_THROTTLE_CLASSES": ["users.api.throttles.ClientThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "login": env.str("THROTTLE_LOGIN", "10/min"),
        "register": env.str("THROTTLE_REGISTER", "10/hour"),
        "mail": env.str("THROTTLE_MAIL", "20/hour"),
        "login_address": env.str("THROTTLE_LOGIN_ADDRESS", "30/hour"),
        "mail_address": env.str("THROTTLE_MAIL_ADDRESS", "5/hour"),
        "checkout": env.str("THROTTLE_CHECKOUT", "10/min"),
        "order_sync": env.str("THROTTLE_ORDER_SYNC", "30/min"),
        "receipt": env.str("THROTTLE_RECEIPT", "20/min"),
        "playback": env.str("THROTTLE_PLAYBACK", "30/min"),
    },
    "NUM_PROXIES": 0,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "eleven_tutors.api.ErrorHandler",
    "ALLOWED_ERROR_STATUS_CODES": ["400", "401", "403", "404", "429"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "11Tutors API",
    "DESCRIPTION": "Courses, payments and protected video. Times are ISO 8601 UTC, durations seconds, sizes bytes, "
    "money minor units with a currency.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/",
    "POSTPROCESSING_HOOKS": ["drf_standardized_errors.openapi_hooks.postprocess_schema_enums"],
    "ENUM_NAME_OVERRIDES": {
        "TranscodeKindEnum": "videos.hosted.models.TranscodeKind.choices",
        "OrderStatusEnum": "payments.models.OrderStatus",
        "RefundStatusEnum": "payments.models.RefundStatus",
        "AssetStatusEnum": "videos.models.AssetStatus",
        "ValidationErrorEnum": "drf_standardized_errors.openapi_serializers.ValidationErrorEnum.choices",
        "ClientErrorEnum": "drf_standardized_errors.openapi_serializers.ClientErrorEnum.choices",
        "ServerErrorEnum": "drf_standardized_errors.openapi_serializers.ServerErrorEnum.choices",
        "ErrorCode401Enum": "drf_standardized_errors.openapi_serializers.ErrorCode401Enum.choices",
        "ErrorCode403Enum": "drf_standardized_errors.openapi_serializers.ErrorCode403Enum.choices",
        "ErrorCode404Enum": "drf_standardized_errors.openapi_serializers.ErrorCode404Enum.choices",
        "ErrorCode405Enum": "drf_standardized_errors.openapi_serializers.ErrorCode405Enum.choices",
        "ErrorCode406Enum": "drf_standardized_errors.openapi_serializers.ErrorCode406Enum.choices",
        "ErrorCode415Enum": "drf_standardized_errors.openapi_serializers.ErrorCode415Enum.choices",
        "ErrorCode429Enum": "drf_standardized_errors.openapi_serializers.ErrorCode429Enum.choices",
        "ErrorCode500Enum": "drf_standardized_errors.openapi_serializers.ErrorCode500Enum.choices",
    },
}

# --- Payments -------------------------------------------------------------------------------------------------------

STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", "")
STRIPE_PUBLIC_KEY = env.str("STRIPE_PUBLIC_KEY", "")
STRIPE_WEBHOOK_SECRETS: list[str] = env.list("STRIPE_WEBHOOK_SECRET", [])
STRIPE_API_BASE = env.str("STRIPE_API_BASE", "https://api.stripe.com").rstrip("/")
STRIPE_API_VERSION = env.str("STRIPE_API_VERSION", "")
PAYMENTS_ENV = env.str("PAYMENTS_ENV", "development" if DEBUG else "production")
PAYMENTS_CHECKOUT_MINUTES = env.int("PAYMENTS_CHECKOUT_MINUTES", 60)
PAYMENTS_MAX_OPEN_CHECKOUTS = env.int("PAYMENTS_MAX_OPEN_CHECKOUTS", 10)
PAYMENTS_PROMOTION_CODES = env.bool("PAYMENTS_PROMOTION_CODES", False)
PAYMENTS_DOUBLE_PAYMENT = env.str("PAYMENTS_DOUBLE_PAYMENT", "refund")
PAYMENTS_DISPUTE_OPENED = env.str("PAYMENTS_DISPUTE_OPENED", "suspend")
PAYMENTS_DISPUTE_WON = env.str("PAYMENTS_DISPUTE_WON", "restore")
PAYMENTS_DISPUTE_LOST = env.str("PAYMENTS_DISPUTE_LOST", "revoke")
PAYMENTS_EVENTS_KEPT_DAYS = env.int("PAYMENTS_EVENTS_KEPT_DAYS", 90)

# --- Courses --------------------------------------------------------------------------------------------------------

COURSE_CURRENCIES = env.list("COURSE_CURRENCIES", ["usd", "eur", "gbp", "jpy"])
COURSE_ACCESS_POLICY = "eleven_tutors.video_access.decide_lessons"

# --- Videos ---------------------------------------------------------------------------------------------------------

VIDEO_PROVIDERS: dict[str, dict[str, Any]] = {}
VIDEO_SERVICE_SECRET_KEY = env.str("VIDEO_SERVICE_SECRET_KEY", "") or env.str("VDOCIPHER_API_SECRET", "")
if VIDEO_SERVICE_SECRET_KEY or env.str("VDOCIPHER_WEBHOOK_SECRET", ""):  # half of it: `manage.py check` names the rest
    VIDEO_PROVIDERS["vdocipher"] = {
        "BACKEND": "videos.providers.vdocipher.VdoCipherProvider",
        "OPTIONS": {
            "api_secret": VIDEO_SERVICE_SECRET_KEY,
            "api_url": env.str("VDOCIPHER_API_URL", "https://dev.vdocipher.com/api").rstrip("/"),
            "player_url": env.str("VDOCIPHER_PLAYER_URL", "https://player.vdocipher.com/v2/"),
            "webhook_secret": env.str("VDOCIPHER_WEBHOOK_SECRET", ""),
            "pin_ip": env.bool("VDOCIPHER_PIN_IP", False),
            "whitelist_href": env.str("VDOCIPHER_WHITELIST_HREF", ""),
        },
    }
_CLOUDFLARE = {
    "account_id": env.str("CLOUDFLARE_ACCOUNT_ID", ""),
    "api_token": env.str("CLOUDFLARE_STREAM_API_TOKEN", ""),
    "signing_key": env.str("CLOUDFLARE_STREAM_SIGNING_KEY", ""),
    "signing_key_id": env.str("CLOUDFLARE_STREAM_SIGNING_KEY_ID", ""),
    "customer_code": env.str("CLOUDFLARE_STREAM_CUSTOMER_CODE", ""),
    "webhook_secret": env.str("CLOUDFLARE_STREAM_WEBHOOK_SECRET", ""),
}
if any(_CLOUDFLARE.values()):
    VIDEO_PROVIDERS["cloudflare"] = {
        "BACKEND": "videos.providers.cloudflare.CloudflareStreamProvider",
        "OPTIONS": {
            **_CLOUDFLARE,
            "api_url": env.str("CLOUDFLARE_API_URL", "https://api.cloudflare.com/client/v4").rstrip("/"),
            "playback_url": env.str("CLOUDFLARE_STREAM_PLAYBACK_URL", "").rstrip("/"),
            "player_script_url": env.str(
                "CLOUDFLARE_STREAM_PLAYER_SCRIPT_URL", "https://embed.cloudflarestream.com/embed/sdk.latest.js"
            ),
            "allowed_origins": env.list("CLOUDFLARE_STREAM_ALLOWED_ORIGINS", []),
            "pin_ip": env.bool("CLOUDFLARE_STREAM_PIN_IP", False),
            "max_duration_s": env.int("CLOUDFLARE_STREAM_MAX_DURATION_S", 21600),
        },
    }
_BUNNY = {
    "library_id": env.str("BUNNY_LIBRARY_ID", ""),
    "api_key": env.str("BUNNY_STREAM_API_KEY", ""),
    "token_key": env.str("BUNNY_TOKEN_KEY", ""),
    "webhook_key": env.str("BUNNY_READ_ONLY_API_KEY", ""),
}
if any(_BUNNY.values()):
    VIDEO_PROVIDERS["bunny"] = {
        "BACKEND": "videos.providers.bunny.BunnyStreamProvider",
        "OPTIONS": {
            **_BUNNY,
            "api_url": env.str("BUNNY_API_URL", "https://video.bunnycdn.com").rstrip("/"),
            "player_url": env.str("BUNNY_PLAYER_URL", "https://iframe.mediadelivery.net/embed").rstrip("/"),
            "player_script_url": env.str(
                "BUNNY_PLAYER_SCRIPT_URL", "https://assets.mediadelivery.net/playerjs/playerjs-latest.min.js"
            ),
        },
    }
_AWS_BUCKET = env.str("AWS_S3_BUCKET", "") or env.str("S3_BUCKET_NAME", "")
_VIDEO_BUCKETS = {
    "s3": {
        "bucket": _AWS_BUCKET,
        "region": env.str("AWS_REGION", "") or env.str("S3_REGION", ""),
        "access_key": env.str("AWS_ACCESS_KEY_ID", ""),  # none: those of the machine's role
        "secret_key": env.str("AWS_SECRET_ACCESS_KEY", ""),
        "session_token": env.str("AWS_SESSION_TOKEN", ""),
        "endpoint_url": env.str("AWS_S3_ENDPOINT_URL", ""),
        "addressing_style": "path" if env.str("AWS_S3_ENDPOINT_URL", "") else "virtual",
    },
    "r2": {
        "bucket": env.str("R2_BUCKET_NAME", ""),
        "region": env.str("R2_REGION", "auto"),
        "access_key": env.str("R2_ACCESS_KEY_ID", ""),
        "secret_key": env.str("R2_SECRET_ACCESS_KEY", ""),
        "endpoint_url": env.str("R2_ENDPOINT_URL", ""),
        "addressing_style": env.str("R2_ADDRESSING_STYLE", "path"),
    },
}
_video_prefix = env.str("VIDEO_BUCKET_PREFIX", "videos/").strip("/")
for _options in _VIDEO_BUCKETS.values():
    _options["key_prefix"] = f"{_video_prefix}/" if _video_prefix else ""
VIDEO_STORE = env.str("VIDEO_STORE", "s3" if _AWS_BUCKET else "local")
VIDEO_CONTENT_KEYS: dict[str, str] = env.dict("VIDEO_CONTENT_KEYS", {})
_KMS = {
    "key_id": env.str("AWS_KMS_KEY_ID", ""),
    "region": _VIDEO_BUCKETS["s3"]["region"],
    "access_key_id": _VIDEO_BUCKETS["s3"]["access_key"],
    "secret_access_key": _VIDEO_BUCKETS["s3"]["secret_key"],
    "session_token": _VIDEO_BUCKETS["s3"]["session_token"],
    "endpoint_url": env.str("AWS_KMS_ENDPOINT_URL", ""),
}
_HAS_VIDEO_KEYS = bool(VIDEO_CONTENT_KEYS or _KMS["key_id"])
if DEBUG or _HAS_VIDEO_KEYS:
    VIDEO_PROVIDERS["hosted"] = {
        "BACKEND": "videos.hosted.provider.HostedProvider",
        "OPTIONS": {
            "store": video_store(
                VIDEO_STORE, folder=env.str("VIDEO_STORE_DIR", str(VAR_DIR / "videos")), buckets=_VIDEO_BUCKETS
            ),
            "delivery": video_delivery(env.str("VIDEO_DELIVERY", ""), store=VIDEO_STORE),
            **video_key_stores(
                env.str("VIDEO_KEY_STORE", ""),
                keys=VIDEO_CONTENT_KEYS if _HAS_VIDEO_KEYS else development_keys(SECRET_KEY),
                kms=_KMS,
            ),
            "licence_s": env.int("LICENSE_DURATION", 3600),
            "licences_per_5_min": env.int("VIDEO_LICENCES_PER_5_MIN", 30),
            "work_dir": env.str("VIDEO_WORK_DIR", str(VAR_DIR / "work")),
        },
    }
VIDEO_HOST_CALLS_MAX = env.int("VIDEO_HOST_CALLS_MAX", 24)  # half the server's threads
VIDEO_ROUTES: list[dict[str, Any]] = default_routes(VIDEO_PROVIDERS, prefers_own=_HAS_VIDEO_KEYS)
VIDEO_STAND_INS = stand_ins(VIDEO_PROVIDERS)
if env.str("VIDEO_HOST_PRIMARY", "auto") != "auto":
    VIDEO_ROUTES = [{"use": [*dict.fromkeys([env.str("VIDEO_HOST_PRIMARY"), env.str("VIDEO_HOST_FALLBACK", "")])]}]
    VIDEO_ROUTES[0]["use"] = [alias for alias in VIDEO_ROUTES[0]["use"] if alias]
VIDEO_ACCESS_POLICY = "eleven_tutors.video_access.decide"
VIDEO_MANAGE_POLICY = "eleven_tutors.video_access.may_manage"
VIDEO_MANAGED_POLICY = "eleven_tutors.video_access.managed_videos"
VIDEO_CREATE_POLICY = "eleven_tutors.video_access.may_create"
VIDEO_STAFF_POLICY = "eleven_tutors.video_access.is_staff"
VIDEO_ENQUEUE = "background.enqueue"
VIDEO_PAGE_URL = FRONTEND_URL + "/videos/{id}"
VIDEO_EMBED_URL = FRONTEND_URL + "/videos/embed/{id}"
VIDEO_EMBED_ANCESTORS = env.list("VIDEO_EMBED_ANCESTORS", ["*"])
VIDEO_SESSION_DAYS = env.int("VIDEO_SESSION_DAYS", 400)
VIDEO_HOOK_DAYS = env.int("VIDEO_HOOK_DAYS", 90)
VIDEO_TRUSTED_PROXIES = TRUSTED_PROXIES
VIDEO_MAX_CONCURRENT_STREAMS = env.int("MAX_CONCURRENT_STREAMS", 3)
VIDEO_ADDRESS_DAYS = env.int("VIDEO_ADDRESS_DAYS", 90)
VIDEO_FILE_MAX_BYTES = env.int("VIDEO_FILE_MAX_BYTES", 200_000_000)
VIDEO_CAPTION_MAX_BYTES = env.int("VIDEO_CAPTION_MAX_BYTES", 2_000_000)
VIDEO_PLANS = env.json("VIDEO_PLANS", {})
VIDEO_WATERMARK = env.str("VIDEO_WATERMARK", "{name} ({email})")

# --- Mail -----------------------------------------------------------------------------------------------------------

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "11Tutors <hello@11tutors.example>")
EMAIL_HOST = env.str("EMAIL_HOST", "smtp.gmail.com")
EMAIL_PORT = env.int("EMAIL_PORT", 587)
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", True)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = 10
ANYMAIL = {
    "SENDGRID_API_KEY": env.str("SENDGRID_API_KEY", ""),
    "MAILGUN_API_KEY": env.str("MAILGUN_API_KEY", ""),
    "MAILGUN_SENDER_DOMAIN": env.str("MAILGUN_SENDER_DOMAIN", ""),
}
if ANYMAIL["SENDGRID_API_KEY"]:
    EMAIL_BACKEND = "anymail.backends.sendgrid.EmailBackend"
elif ANYMAIL["MAILGUN_API_KEY"]:
    EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"

# --- Files ----------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL_EXPIRY_S = 3600
IMAGE_MAX_BYTES = 5 * 1024 * 1024
IMAGE_MAX_PIXELS = 25_000_000
RESOURCE_MAX_BYTES = 50 * 1024 * 1024
R2_BUCKET_NAME = env.str("R2_BUCKET_NAME", "")


def _bucket(backend: str, location: str, **options: Any) -> dict[str, Any]:
    return {
        "BACKEND": backend,
        "OPTIONS": bucket_options(
            bucket_name=R2_BUCKET_NAME,
            access_key=env.str("R2_ACCESS_KEY_ID"),
            secret_key=env.str("R2_SECRET_ACCESS_KEY"),
            endpoint_url=env.str("R2_ENDPOINT_URL"),
            region_name=env.str("R2_REGION", "auto"),
            addressing_style=env.str("R2_ADDRESSING_STYLE", "path"),
            location=location,
            **options,
        ),
    }


STORAGES: dict[str, dict[str, Any]] = {
    "default": _bucket(
        "eleven_tutors.storage.MediaBucket",
        "media",
        file_overwrite=False,
        querystring_auth=True,
        querystring_expire=MEDIA_URL_EXPIRY_S,
    )
    if R2_BUCKET_NAME
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": _bucket("storages.backends.s3.S3Storage", "static", querystring_auth=False)
    if R2_BUCKET_NAME and env.bool("STATIC_ON_BUCKET", False)
    else {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    if not DEBUG
    else {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# --- Security and logs ----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
if not DEBUG:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^api/health/"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    # On DEBUG this one writes whole bodies, on INFO what Stripe says to an error: addresses of buyers are among both.
    "loggers": {"stripe": {"level": "WARNING"}},
}

SENTRY_DSN = env.str("SENTRY_DSN", "")
if SENTRY_DSN:
    import sentry_sdk

    # Bodies and local variables hold passwords and tokens under names that Sentry does not filter.
    sentry_sdk.init(
        dsn=SENTRY_DSN,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        before_send=without_addresses,
    )

UNFOLD = {
    "SITE_TITLE": "11Tutors",
    "SITE_HEADER": "11Tutors",
    "SITE_SYMBOL": "school",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "BORDER_RADIUS": "8px",
    "LOGIN": {"form": "users.forms.AdminLoginForm"},
    "DASHBOARD_CALLBACK": "payments.admin.attention.on_the_index",
}
