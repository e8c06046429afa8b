"""What somebody typed reaches neither the error reports nor the logs."""

import os
import subprocess
import sys

from django.conf import settings

REPORT_A_FAILURE = """
import json, django, sentry_sdk
from sentry_sdk.transport import Transport

django.setup()
reports = []

class Kept(Transport):
    def capture_envelope(self, envelope):
        reports.extend(item.get_event() for item in envelope.items if item.get_event())

sentry_sdk.get_client().transport = Kept()

from django.core.wsgi import get_wsgi_application
from rest_framework.test import APIRequestFactory
from users import services

def fails(raw):
    raise RuntimeError("on purpose")

services.rotate_refresh_token = fails
from videos.hosted.services.playback import play_tokens
play_tokens.read = fails
sent = {"refresh": "s3cret-refresh"}
asking, serve = APIRequestFactory(), get_wsgi_application()
requests = [
    asking.post("/api/users/token/refresh/?token=s3cret-query", sent, format="json", secure=True),
    asking.get("/api/videos/media/" + "s3cret-token-" * 3 + "/v180.mp4", secure=True),
]
for request in requests:
    serve(request.environ, lambda status, headers: None)
print(len(reports), json.dumps(reports, default=str).count("s3cret"), [told["request"]["url"] for told in reports])
"""
LOG_A_CALL = """
import django, logging
django.setup()
logging.getLogger("stripe").debug("ada@example.test")
logging.getLogger("somebody.else").debug("is heard")
"""


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VAR_DIR")}
    ours = {"DJANGO_SETTINGS_MODULE": "eleven_tutors.settings", "READ_DOTENV": "0", "SECRET_KEY": "x" * 50}
    return subprocess.run(
        [sys.executable, "-c", script],
        env=kept | ours | {"ALLOWED_HOSTS": "testserver"} | environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_reported_failure_holds_nothing_that_was_sent():
    number, secrets, *told = run(REPORT_A_FAILURE, SENTRY_DSN="http://key@127.0.0.1:9/1").stdout.split(maxsplit=2)
    assert (number, secrets) == ("2", "0")
    assert "/api/videos/media/[secret]/v180.mp4" in told[0]


def test_however_much_is_logged_the_bodies_sent_to_stripe_are_not():
    logged = run(LOG_A_CALL, LOG_LEVEL="DEBUG").stderr
    assert "is heard" in logged
    assert "ada@example.test" not in logged
