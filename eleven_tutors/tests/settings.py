"""The settings under test: no `.env`, state in a folder of its own, tasks run in the caller's process."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_STATE = Path(tempfile.mkdtemp(prefix="eleven-tutors-test-"))
atexit.register(shutil.rmtree, _STATE, ignore_errors=True)
_PREFIXES_OF_OURS = (
    *("STRIPE_", "VDOCIPHER_", "VIDEO_", "CLOUDFLARE_", "BUNNY_", "R2_", "AWS_", "S3_"),
    *("EMAIL_", "REDIS_", "CELERY_", "SENTRY_", "THROTTLE_"),
)
for _name in [name for name in os.environ if name.startswith(_PREFIXES_OF_OURS)]:
    del os.environ[_name]
(_STATE / "static").mkdir()
os.environ |= {
    "READ_DOTENV": "0",
    "VAR_DIR": str(_STATE),
    "DEBUG": "1",
    "SECRET_KEY": "a-key-for-tests-only-that-is-long-enough-to-please-every-check-there-is",
    "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    "PAYMENTS_ENV": "test",
    "STRIPE_SECRET_KEY": "sk_test_sandbox_11tutors",
    "STRIPE_WEBHOOK_SECRET": "whsec_sandbox_test",
    "VIDEO_SERVICE_SECRET_KEY": "vdo_sandbox_11tutors",
    "VDOCIPHER_API_URL": "http://127.0.0.1:1/nobody-listens-here",
    "VDOCIPHER_WEBHOOK_SECRET": "hook-token-for-tests",
}

from eleven_tutors.settings import *  # noqa: E402, F403

DEBUG = False
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_URL = "memory://"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT, EMAIL_USE_TLS = "127.0.0.1", 1, False
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": str(_STATE / "test.sqlite3")}  # noqa: F405
SECURE_SSL_REDIRECT = False
# The stand-ins play real hosts here.
VIDEO_STAND_INS = []
VIDEO_ROUTES = default_routes({}, prefers_own=False)  # noqa: F405
