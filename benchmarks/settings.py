"""The project without throttles and with two hosts: one that answers at once, one after 200 ms."""

import os

from eleven_tutors.settings import *  # noqa: F403
from eleven_tutors.settings import REST_FRAMEWORK, STORAGES, VIDEO_PROVIDERS

ROOT_URLCONF = "benchmarks.urls"
REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = dict.fromkeys(REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "100000000/min")
VIDEO_PROVIDERS["local"] = {"BACKEND": "benchmarks.provider.LocalProvider", "OPTIONS": {}}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
LOGGING_CONFIG = None
SECURE_SSL_REDIRECT = False
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
VIDEO_PROVIDERS["vdocipher"]["OPTIONS"]["api_url"] = os.environ["VDOCIPHER_API_URL"]
VIDEO_PROVIDERS["vdocipher"]["OPTIONS"]["webhook_secret"] = "benchmark"
VIDEO_PROVIDERS["cloudflare"] = {
    "BACKEND": "videos.providers.cloudflare.CloudflareStreamProvider",
    "OPTIONS": {
        "account_id": "benchmark",
        "api_token": "cf_sandbox_benchmark",
        "api_url": "http://127.0.0.1:1/nobody-listens-here",
        "signing_key": os.environ["BENCHMARK_SIGNING_KEY"],
        "customer_code": "benchmark",
    },
}
