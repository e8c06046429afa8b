"""Students who have been learning for a while, so that dashboards and statistics have something to show."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from courses.models import Course, EnrollmentSource, Lesson
from courses.services import enroll
from courses.services.completion import mark_completed
from eleven_tutors.demo.catalogue import DemoPerson
from users.models import User
from videos.models import Asset, PlaybackSession, SessionDoor, SessionState, Video, VideoProgress, Viewer
from videos.services.captions import put_caption
from videos.services.rollup import roll_up

_LEARNERS = [
    ("noor", "Noor", "Haddad"),
    ("tomas", "Tomás", "Silva"),
    ("ida", "Ida", "Nyström"),
    ("kofi", "Kofi", "Mensah"),
    ("yuki", "Yuki", "Tanaka"),
]
_SHARES = (1.0, 0.95, 0.6, 0.3, 0.8)
_CAPTIONS = b"""WEBVTT

00:00:00.000 --> 00:00:04.000
Welcome. Take your time; you can come back to this place.

00:00:04.000 --> 00:00:08.000
Everything you need is beside the video.
"""


def make_activity(make_person: Callable[[DemoPerson], User]) -> None:
    """Let some learners take two courses, watch parts of their videos and mark lessons; done once."""
    people = [
        make_person(DemoPerson(email=f"{name}@demo.test", first_name=first, last_name=last))
        for name, first, last in _LEARNERS
    ]
    courses = Course.objects.filter(slug__in=["introduction-to-proofs", "how-to-learn-anything"]).order_by("slug")
    for course in courses:
        for number, person in enumerate(people):
            _learn(person, course, number)
        _caption(course)
    roll_up()


def _learn(person: User, course: Course, number: int) -> None:
    with transaction.atomic():
        _, is_new = enroll(user=person, course=course, source=EnrollmentSource.STAFF)
        if not is_new:
            return
        lessons = list(Lesson.objects.filter(part__course=course).select_related("video").in_order()[: number + 2])
        for place, lesson in enumerate(lessons):
            began = timezone.now() - timedelta(days=12 - 2 * place, hours=number)
            asset = lesson.video.get_current_asset() if lesson.video else None
            if lesson.video and asset and asset.duration_s:
                _watch(person, lesson.video, asset, share=_SHARES[(number + place) % len(_SHARES)], began=began)
        mark_completed(user=person, lesson=lessons[0])


def _watch(person: User, video: Video, asset: Asset, *, share: float, began: datetime) -> None:
    viewer, _ = Viewer.objects.get_or_create(user=person)
    duration_ms = round((asset.duration_s or 0) * 1000)
    seen_ms = round(duration_ms * share)
    ended = began + timedelta(milliseconds=seen_ms)
    progress, is_new = VideoProgress.objects.get_or_create(
        viewer=viewer,
        video=video,
        defaults={
            "played": [[0, seen_ms]],
            "covered_ms": seen_ms,
            "duration_ms": duration_ms,
            "position_s": seen_ms / 1000,
            "first_played_at": began,
            "last_played_at": ended,
            "completed_at": ended if share >= 0.9 else None,
        },
    )
    if is_new:
        PlaybackSession.objects.create(
            viewer=viewer,
            video=video,
            asset=asset,
            progress=progress,
            device_id="demo",
            door=SessionDoor.PLAYBACK,
            state=SessionState.ENDED,
            end_reason="viewer",
            created_at=began,
            played_at=began,
            expires_at=ended,
            ended_at=ended,
            rollup_due_at=ended,
            position_s=seen_ms / 1000,
            played=[[0, seen_ms, 1]],
            watched_ms=seen_ms,
            covered_ms=seen_ms,
            startup_ms=420,
        )


def _caption(course: Course) -> None:
    lesson = Lesson.objects.filter(part__course=course, video__isnull=False).select_related("video").in_order().first()
    if lesson and lesson.video and not lesson.video.caption_tracks:
        put_caption(video=lesson.video, language="en", label="", body=_CAPTIONS)
