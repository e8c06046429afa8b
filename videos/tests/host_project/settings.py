"""A magazine: articles with videos that their readers may watch. As little as a project with `videos` needs."""

import os
from pathlib import Path

STATE = Path(os.environ["STATE_DIR"])
SANDBOX_URL = os.environ["SANDBOX_URL"]

SECRET_KEY = "a-key-for-tests-only-that-is-long-enough-to-please-every-check-there-is"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "host_project.urls"
AUTH_USER_MODEL = "people.Person"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_URL = "static/"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "videos",
    "host_project.people",
    "host_project.articles",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
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
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE / "magazine.sqlite3",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }
}
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"]}

VIDEO_PROVIDERS = {
    "vdocipher": {
        "BACKEND": "videos.providers.vdocipher.VdoCipherProvider",
        "OPTIONS": {
            "api_secret": "vdo_sandbox_11tutors",
            "api_url": f"{SANDBOX_URL}/vdocipher/api",
            "player_url": f"{SANDBOX_URL}/vdocipher/player/v2/",
            "webhook_secret": "a-hook-token-of-the-magazine",
        },
    }
}
VIDEO_ACCESS_POLICY = "host_project.articles.access.decide"
VIDEO_CREATE_POLICY = "host_project.articles.access.is_author"
