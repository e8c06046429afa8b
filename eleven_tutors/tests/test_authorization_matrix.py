"""Every address of the API x who asks. A new endpoint fails `test_every_endpoint_is_listed` until it stands here.

Most bodies are empty, so that "let in" often shows as 400: what counts is who gets past the door.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from rest_framework.test import APIClient

from courses.files import sign_resource
from courses.models import LessonResource
from courses.services import enroll
from courses.services.updates import unsubscribe_token
from courses.tests.factories import make_course, make_lesson, make_part
from eleven_tutors.tests.api_surface import endpoints
from payments.models import Order, OrderStatus
from users.tests.factories import auth_client, make_user
from videos.models import PlaybackSession, SessionDoor
from videos.services.captions import put_caption
from videos.services.playback import RequestContext, open_session
from videos.services.tokens import session_token
from videos.tests.factories import host_video

ROLES = ("anonymous", "student", "enrolled", "instructor", "other_instructor", "staff")

EVERYBODY = (200,) * 6
# Signed in is enough; the rows show only what is one's own.
SIGNED_IN = (401, 200, 200, 200, 200, 200)
SIGNED_IN_BAD_BODY = (401, 400, 400, 400, 400, 400)
OPEN_BAD_BODY = (400,) * 6
MANAGERS = (401, 403, 403, 200, 403, 200)
MANAGERS_BAD_BODY = (401, 403, 403, 400, 403, 400)

PART_DOORS = {
    "upload-parts": ("GET", "POST", "DELETE"),
    "upload-complete": ("POST",),
    "upload-sign": ("POST",),
    "upload-bucket": ("GET", "POST", "DELETE"),
    "companion-create": ("POST",),
    "companion-upload": ("GET", "DELETE"),
    "companion-part": ("GET",),
    "companion-batch": ("GET",),
    "companion-complete": ("POST",),
    "companion-else": ("GET",),
}
"""Uploads in parts, and their methods."""

EXPECTED: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", "schema"): EVERYBODY,
    ("GET", "docs"): EVERYBODY,
    ("GET", "health"): EVERYBODY,
    ("GET", "health-ready"): EVERYBODY,
    ("GET", "health-providers"): (401, 403, 403, 403, 403, 200),
    ("POST", "users:register"): OPEN_BAD_BODY,
    ("POST", "users:verify-email"): OPEN_BAD_BODY,
    ("POST", "users:verify-email-resend"): OPEN_BAD_BODY,
    ("POST", "users:token"): OPEN_BAD_BODY,
    ("POST", "users:token-refresh"): OPEN_BAD_BODY,
    ("POST", "users:token-blacklist"): OPEN_BAD_BODY,
    ("POST", "users:password-reset"): OPEN_BAD_BODY,
    ("POST", "users:password-reset-confirm"): OPEN_BAD_BODY,
    ("POST", "users:password-change"): SIGNED_IN_BAD_BODY,
    ("GET", "users:me"): SIGNED_IN,
    ("PATCH", "users:me"): SIGNED_IN,
    ("GET", "courses:university-list"): EVERYBODY,
    ("GET", "courses:university"): EVERYBODY,
    ("GET", "courses:course-list"): EVERYBODY,
    ("GET", "courses:course"): EVERYBODY,
    ("GET", "courses:lesson"): (401, 404, 200, 200, 404, 200),
    ("PATCH", "courses:lesson"): (401, 404, 403, 200, 404, 200),
    ("POST", "courses:course-list"): (401, 403, 403, 403, 403, 400),
    ("PATCH", "courses:course"): MANAGERS,
    ("GET", "courses:course-progress"): MANAGERS,
    ("GET", "courses:course-updates"): MANAGERS,
    ("POST", "courses:course-updates"): MANAGERS_BAD_BODY,
    ("POST", "courses:part-list"): MANAGERS_BAD_BODY,
    ("POST", "courses:course-order"): MANAGERS_BAD_BODY,
    ("PATCH", "courses:part"): MANAGERS,
    ("DELETE", "courses:part"): (401, 403, 403, 204, 403, 204),
    ("POST", "courses:part-lessons"): MANAGERS_BAD_BODY,
    ("DELETE", "courses:lesson"): (401, 404, 403, 204, 404, 204),
    ("POST", "courses:lesson-video"): (401, 404, 403, 400, 404, 400),
    ("GET", "courses:resource-list"): (401, 404, 403, 200, 404, 200),
    ("POST", "courses:resource-list"): (401, 404, 403, 400, 404, 400),
    ("DELETE", "courses:managed-resource"): (401, 404, 403, 204, 404, 204),
    ("POST", "courses:lesson-completion"): (401, 404, 200, 200, 404, 200),
    ("DELETE", "courses:lesson-completion"): (401, 404, 200, 200, 404, 200),
    ("GET", "courses:enrollment-list"): SIGNED_IN,
    ("POST", "courses:enrollment-list"): (401, 403, 403, 403, 403, 400),
    ("PATCH", "courses:enrollment"): (401, 404, 400, 404, 404, 404),
    # So does the address in a mail.
    ("GET", "courses:unsubscribe"): EVERYBODY,
    ("POST", "courses:unsubscribe"): EVERYBODY,
    ("GET", "courses:image"): (404,) * 6,
    # The address itself is the key: the lesson gives it to those who may open the lesson.
    ("GET", "courses:resource"): EVERYBODY,
    ("POST", "payments:checkout"): SIGNED_IN_BAD_BODY,
    ("GET", "payments:order-list"): SIGNED_IN,
    ("GET", "payments:order-detail"): (401, 404, 200, 404, 404, 404),
    ("POST", "payments:order-sync"): (401, 404, 200, 404, 404, 404),
    # The order has not been paid: even its student finds no receipt. That of a paid one is in `test_receipt.py`.
    ("GET", "payments:order-receipt"): (401, 404, 404, 404, 404, 404),
    ("POST", "payments:stripe-webhook"): OPEN_BAD_BODY,
    ("GET", "videos:video-list"): SIGNED_IN,
    ("POST", "videos:video-list"): (401, 403, 403, 400, 400, 400),
    ("GET", "videos:video"): MANAGERS,
    ("PATCH", "videos:video"): MANAGERS,
    ("DELETE", "videos:video"): (401, 403, 403, 204, 403, 204),
    ("GET", "videos:video-status"): MANAGERS,
    ("POST", "videos:video-status"): MANAGERS,
    ("POST", "videos:video-upload"): (401, 403, 403, 400, 403, 400),
    ("POST", "videos:video-file"): (401, 403, 403, 201, 403, 201),
    ("GET", "videos:video-captions"): MANAGERS,
    ("GET", "videos:video-caption"): (401, 403, 200, 200, 403, 200),
    ("PUT", "videos:video-caption"): (401, 403, 403, 415, 403, 415),
    ("DELETE", "videos:video-caption"): (401, 403, 403, 204, 403, 204),
    ("GET", "videos:video-thumbnail"): (401, 403, 404, 404, 403, 404),
    ("POST", "videos:video-playback"): (401, 403, 200, 200, 403, 200),
    ("POST", "videos:video-otp"): (401, 403, 200, 200, 403, 200),
    # Only a session of the admin opens it; these roles come with tokens.
    ("POST", "videos:video-preview"): (403,) * 6,
    ("GET", "videos:video-statistics"): MANAGERS,
    ("GET", "videos:video-views"): MANAGERS,
    # The video is for the enrolled: whoever may watch it hears that it cannot be shared.
    ("GET", "videos:video-share"): (401, 403, 409, 409, 403, 409),
    # The video is at another host than ours, which prepares a file once.
    ("POST", "videos_hosted:video-transcodes"): (401, 403, 403, 409, 403, 409),
    ("GET", "videos_hosted:video-transcodes"): MANAGERS,
    ("GET", "videos_hosted:transcode-list"): (401, 403, 403, 403, 403, 200),
    ("GET", "videos:metrics"): (401, 403, 403, 403, 403, 200),
    ("GET", "videos:progress-list"): SIGNED_IN,
    ("GET", "videos:session-list"): SIGNED_IN,
    # Who never watched it and may not is refused.
    ("GET", "videos:video-progress"): (401, 403, 200, 200, 403, 200),
    # The session's own token decides, whoever sends it.
    ("POST", "videos:session-heartbeat"): (403,) * 6,
    ("POST", "videos:session-end"): (403,) * 6,
    ("POST", "videos:webhook"): OPEN_BAD_BODY,
    # Who is let in hears that the version of the protocol is missing.
    ("POST", "videos_hosted:upload-list"): (401, 403, 403, 412, 412, 412),
    # The secret in the address decides, whoever sends it.
    ("PATCH", "videos_hosted:upload"): (404,) * 6,
    ("DELETE", "videos_hosted:upload"): (404,) * 6,
    **{(method, f"videos_hosted:{name}"): (404,) * 6 for name, methods in PART_DOORS.items() for method in methods},
    # A bearer for one viewing decides, whoever sends it; a log-in is none.
    # The address names the viewing, and is signed: those of real ones are in `videos/hosted/tests/test_playing.py`.
    ("GET", "videos_hosted:manifest-master"): (403,) * 6,
    ("GET", "videos_hosted:manifest"): (403,) * 6,
    ("GET", "videos_hosted:media"): (403,) * 6,
    ("GET", "videos_hosted:picture"): (403,) * 6,
    ("POST", "videos_hosted:licence"): (403,) * 6,
    ("GET", "videos_hosted:licence-key"): (403,) * 6,
}
COURSE_ADDRESSES = ("course-progress", "course-updates", "part-list", "course-order", "enrollment")
PLAIN_VIEWS = (
    *("courses:image", "courses:resource", "courses:unsubscribe"),
    *("payments:stripe-webhook", "videos:webhook"),
)
VIDEO_ADDRESSES = (
    "video",
    "video-status",
    "video-captions",
    "video-thumbnail",
    "video-playback",
    "video-preview",
    "video-otp",
    "video-progress",
    "video-statistics",
    "video-views",
    "video-share",
    "video-upload",
    "video-file",
)
DEVICE = {"device_id": "7f4c2d1e-0000-4000-8000-000000000000"}
BODIES: dict[str, dict[str, Any]] = {
    "videos:video-playback": DEVICE,
    "videos:video-otp": DEVICE,
    "videos:video-preview": DEVICE,
    "videos:session-heartbeat": {"seq": 1, "position": 1.0, "token": "forged"},
    "videos:session-end": {"token": "forged"},
}


@dataclass
class World:
    clients: dict[str, APIClient]
    arguments: dict[str, dict[str, Any]]
    session: PlaybackSession

    def url(self, name: str) -> str:
        return reverse(name, kwargs=self.arguments.get(name, {}))

    def asked_by(self, role: str, method: str, name: str, body: str) -> tuple[int, bytes]:
        """Status and the beginning of the answer to this request, which leaves the world as it was."""
        cache.clear()
        before = transaction.savepoint()
        answer = self.clients[role].generic(method, self.url(name), body, content_type="application/json")
        content = answer.getvalue()
        transaction.savepoint_rollback(before)
        return answer.status_code, content[:300]


@pytest.fixture
def world(db, sandbox, settings) -> World:
    users = {name: make_user(username=name) for name in ROLES[1:]}
    users["staff"].is_staff = users["staff"].is_superuser = True
    users["staff"].save()
    course = make_course(instructors=[users["instructor"]])
    make_course(instructors=[users["other_instructor"]])
    video = host_video(sandbox, access_level="entitled", owner=users["instructor"])
    put_caption(video=video, language="en", label="", body=b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n")
    lesson = make_lesson(part=make_part(course=course), video=video)
    resource = LessonResource.objects.create(
        lesson=lesson, title="Sheet", file=SimpleUploadedFile("sheet.txt", b"text")
    )
    enrollment, _ = enroll(user=users["enrolled"], course=course, source="staff")
    order = Order.objects.create(user=users["enrolled"], status=OrderStatus.PENDING, currency="usd", total_minor=100)
    context = RequestContext(ip="127.0.0.1", user_agent="test")
    grant = open_session(
        user=users["enrolled"], video=video, door=SessionDoor.PLAYBACK, device_id="other-device", context=context
    )
    session = PlaybackSession.objects.get(public_id=grant.session.public_id)
    arguments = {
        "courses:university": {"slug": course.university.slug},
        "courses:course": {"slug": course.slug},
        **{f"courses:{name}": {"slug": course.slug} for name in COURSE_ADDRESSES},
        **{f"courses:{name}": {"part_id": lesson.part_id} for name in ("part", "part-lessons")},
        "courses:lesson": {"slug": lesson.slug},
        **{f"courses:{name}": {"slug": lesson.slug} for name in ("lesson-completion", "lesson-video", "resource-list")},
        "courses:unsubscribe": {"token": unsubscribe_token(enrollment)},
        "courses:managed-resource": {"slug": lesson.slug, "resource_id": resource.pk},
        "courses:image": {"kind": "thumbnails", "owner_id": course.pk, "name": "none.png"},
        "courses:resource": {"token": sign_resource(resource.pk)},
        "payments:order-detail": {"public_id": order.public_id},
        "payments:order-sync": {"public_id": order.public_id},
        "payments:order-receipt": {"public_id": order.public_id},
        "videos:webhook": {"alias": "vdocipher"},
        "videos_hosted:upload": {"upload_id": video.pk, "secret": "guessed"},
        **{f"videos_hosted:{name}": _part_door(name, video.pk) for name in PART_DOORS},
        **{f"videos:{name}": {"video_id": video.pk} for name in VIDEO_ADDRESSES},
        "videos_hosted:manifest-master": {"video_id": video.pk},
        "videos_hosted:manifest": {"video_id": video.pk, "token": "guessed", "name": "master.m3u8"},
        "videos_hosted:media": {"token": "guessed", "name": "v720.mp4"},
        "videos_hosted:picture": {"token": "guessed"},
        "videos_hosted:licence": {"system": "clearkey"},
        "videos_hosted:licence-key": {"token": "guessed"},
        "videos_hosted:video-transcodes": {"video_id": video.pk},
        "videos:video-caption": {"video_id": video.pk, "language": "en"},
        **{f"videos:session-{name}": {"session_id": session.public_id} for name in ("heartbeat", "end")},
    }
    clients = {"anonymous": APIClient()} | {name: auth_client(user) for name, user in users.items()}
    return World(clients, arguments, session)


def _part_door(name: str, upload_id: Any) -> dict[str, Any]:
    """The parameters of an address, guessed."""
    address = {"upload_id": upload_id, "secret": "guessed"}
    if name == "companion-part":
        return address | {"name": "guessed", "number": 1}
    return address | ({"name": "guessed"} if name.startswith("companion-") and name != "companion-create" else {})


def test_every_endpoint_is_listed():
    plain_views = set(PLAIN_VIEWS)
    found = {(method, name) for method, name in endpoints() if name not in plain_views}
    listed = {(method, name) for method, name in EXPECTED if name not in plain_views}
    assert found == listed
    assert plain_views == {name for _, name in endpoints()} - {name for _, name in found}


def door(method: str, name: str) -> Any:
    """A parameter set; the schema is a second's work and reads no row."""
    marks = [pytest.mark.one_database] if name == "schema" else []
    return pytest.param(method, name, id=f"{method} {name}", marks=marks)


@pytest.mark.parametrize(("method", "name"), [door(*key) for key in EXPECTED])
def test_who_gets_past_the_door(method, name, world):
    body = json.dumps(BODIES.get(name, {}))
    answers = {role: world.asked_by(role, method, name, body) for role in ROLES}
    found = tuple(status for status, _ in answers.values())
    assert found == EXPECTED[method, name], answers


@pytest.mark.parametrize("name", PLAIN_VIEWS)
def test_a_plain_view_takes_its_own_method_alone(name, world):
    own = {method for method, listed in EXPECTED if listed == name}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - own:
        assert world.clients["staff"].generic(method, world.url(name)).status_code == 405


@pytest.mark.parametrize("role", ROLES)
def test_the_token_of_a_session_opens_that_session_whoever_sends_it(role, world):
    token = session_token(world.session.public_id)
    beat = {"token": token, "seq": 1, "position": 3.0}
    assert world.clients[role].post(world.url("videos:session-heartbeat"), beat).status_code == 200
