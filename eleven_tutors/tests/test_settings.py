"""The environment is read in one place, and a wrong one is refused by name."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

PRINT = "import django; django.setup(); from django.conf import settings as s; print({expression})"


def read(expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VAR_DIR")}
    return subprocess.run(
        [sys.executable, "-c", PRINT.format(expression=expression)],
        env=clean | {"DJANGO_SETTINGS_MODULE": "eleven_tutors.settings", "READ_DOTENV": "0"} | environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_without_a_secret_key_does_not_start():
    assert "SECRET_KEY is not set" in read("1").stderr


@pytest.mark.parametrize(
    ("environment", "expression", "expected"),
    [
        ({}, "s.DATABASES['default']['ENGINE']", "django.db.backends.sqlite3"),
        ({"DATABASE_URL": "postgresql://u:p@db:5432/x"}, "s.DATABASES['default']['CONN_MAX_AGE']", "600"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_a,whsec_b"}, "s.STRIPE_WEBHOOK_SECRETS", "['whsec_a', 'whsec_b']"),
        ({"CORS_ALLOWED_ORIGINS": "https://a.example,https://b.example"}, "len(s.CORS_ALLOWED_ORIGINS)", "2"),
        ({"CSRF_TRUSTED_ORIGINS": "https://a.example"}, "s.CSRF_TRUSTED_ORIGINS", "['https://a.example']"),
        ({"VDOCIPHER_API_SECRET": "older-name"}, "list(s.VIDEO_PROVIDERS)", "['vdocipher']"),
        ({}, "list(s.VIDEO_PROVIDERS)", "[]"),
        ({"SENDGRID_API_KEY": "k"}, "s.EMAIL_BACKEND", "anymail.backends.sendgrid.EmailBackend"),
        ({}, "(s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_USE_TLS)", "('smtp.gmail.com', 587, True)"),
        (
            {"REDIS_URL": "redis://r:6379/1"},
            "s.CACHES['default']['BACKEND']",
            "eleven_tutors.cache.ForgivingRedisCache",
        ),
        ({}, "s.CELERY_BROKER_URL[:14]", "sqla+sqlite://"),
        ({"FRONTEND_URL": "https://school.example/"}, "s.FRONTEND_URL", "https://school.example"),
    ],
)
def test_a_variable_ends_up_in_its_setting(environment, expression, expected):
    done = read(expression, SECRET_KEY="x" * 50, **environment)
    assert done.stdout.strip() == expected, done.stderr


def test_a_bucket_without_its_keys_is_refused_by_the_name_of_the_variable():
    assert "R2_ACCESS_KEY_ID" in read("1", SECRET_KEY="x" * 50, R2_BUCKET_NAME="media").stderr
