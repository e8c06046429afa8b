"""The environment is read in one place, and a wrong one is refused by name."""

import os
import runpy
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings
from environs import EnvError


def kept(**environment: str) -> dict[str, str]:
    """An environment of these variables, and none of ours besides."""
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VAR_DIR")}
    return clean | {"DJANGO_SETTINGS_MODULE": "eleven_tutors.settings", "READ_DOTENV": "0"} | environment


@pytest.fixture
def read(monkeypatch):
    """`read(NAME="value")`: the settings that such an environment gives."""

    def run(**environment: str) -> SimpleNamespace:
        monkeypatch.setattr(os, "environ", kept(**environment))
        return SimpleNamespace(**runpy.run_path(str(settings.BASE_DIR / "eleven_tutors" / "settings.py")))

    return run


def test_production_without_a_secret_key_does_not_start():
    command = [sys.executable, "-c", "import django; django.setup()"]
    done = subprocess.run(command, env=kept(), cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    assert "SECRET_KEY is not set" in done.stderr
    assert done.returncode != 0


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
def test_a_variable_ends_up_in_its_setting(environment, expression, expected, read):
    found = eval(expression, {"s": read(SECRET_KEY="x" * 50, **environment)})
    assert str(found) == expected


def test_a_bucket_without_its_keys_is_refused_by_the_name_of_the_variable(read):
    with pytest.raises(EnvError, match="R2_ACCESS_KEY_ID"):
        read(SECRET_KEY="x" * 50, R2_BUCKET_NAME="media")
