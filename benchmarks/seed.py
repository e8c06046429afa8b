"""Fills the benchmark's database and prints, as JSON, the calls that the load is made of."""

import json
import sys
import uuid
from datetime import timedelta

import django

STUDENTS = 400  # or as many as the first argument says
COURSES = 200
LESSONS = 200
HOOKED = 100
HOOKS_EACH = 20


def main() -> None:
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 (settings first)

    call_command("migrate", verbosity=0)
    json.dump(build(int(sys.argv[1]) if len(sys.argv) > 1 else STUDENTS), sys.stdout)


def build(student_count: int) -> dict[str, list]:
    from django.contrib.auth import get_user_model  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415
    from rest_framework_simplejwt.tokens import AccessToken  # noqa: PLC0415

    from courses.models import Course, Enrollment, EnrollmentSource, Lesson, Part, University  # noqa: PLC0415
    from payments.models import Order, OrderItem, OrderStatus  # noqa: PLC0415
    from videos.models import Asset, AssetStatus, Protection, Video  # noqa: PLC0415

    now = timezone.now()
    user_model = get_user_model()
    students = user_model.objects.bulk_create(
        user_model(username=f"student{n}", email=f"student{n}@bench.test", email_verified_at=now)
        for n in range(student_count)
    )
    university = University.objects.create(name="Benchmark", slug="benchmark")
    courses = Course.objects.bulk_create(
        Course(title=f"Course {n:03}", slug=f"course-{n}", university=university, price_minor=4900, is_published=True)
        for n in range(COURSES)
    )
    part = Part.objects.create(course=courses[0], title="All")
    videos = Video.objects.bulk_create(Video(title=f"Lesson {n}") for n in range(LESSONS))
    Asset.objects.bulk_create(
        Asset(
            video=video,
            provider={1: "vdocipher", 2: "cloudflare"}.get(n, "local"),
            host_id=uuid.uuid4().hex,
            status=AssetStatus.READY,
            protection=Protection.DRM,
            duration_s=3600.0,
            next_poll_at=None,
        )
        for n, video in enumerate(videos)
    )
    hooked = [uuid.uuid4().hex for _ in range(HOOKED)]
    elsewhere = Video.objects.bulk_create(Video(title="Under way") for _ in hooked)
    Asset.objects.bulk_create(
        Asset(video=video, provider="vdocipher", host_id=host_id, protection=Protection.DRM)
        for video, host_id in zip(elsewhere, hooked, strict=True)
    )
    Lesson.objects.bulk_create(
        Lesson(part=part, title=f"Lesson {n}", slug=f"lesson-{n}", position=n, video=video)
        for n, video in enumerate(videos)
    )
    Enrollment.objects.bulk_create(
        Enrollment(user=student, course=courses[0], source=EnrollmentSource.STAFF) for student in students
    )
    orders = Order.objects.bulk_create(
        Order(user=student, status=OrderStatus.PAID, currency="usd", total_minor=4900, paid_at=now, fulfilled_at=now)
        for student in students
        for _ in range(20)
    )
    OrderItem.objects.bulk_create(
        OrderItem(order=order, course=courses[n % COURSES], title="Course", unit_minor=4900, net_minor=4900)
        for n, order in enumerate(orders)
    )
    tokens = []
    for student in students:
        token = AccessToken.for_user(student)
        token.set_exp(lifetime=timedelta(hours=2))
        tokens.append(str(token))
    device = {"device_id": str(uuid.uuid4())}
    return {
        "calibration": [{"method": "GET", "path": "/calibration/"}],
        "course list, 20 cards": [{"method": "GET", "path": "/api/courses/courses/"}],
        "course detail, 200 lessons": [
            {"method": "GET", "path": "/api/courses/courses/course-0/", "token": token} for token in tokens
        ],
        "my orders, 20": [{"method": "GET", "path": "/api/payments/orders/", "token": token} for token in tokens],
        "playback grant": [
            {"method": "POST", "path": f"/api/videos/{videos[0].id}/playback/", "token": token, "body": device}
            for token in tokens
        ],
        "playback grant, Cloudflare's signature": [
            {"method": "POST", "path": f"/api/videos/{videos[2].id}/playback/", "token": token, "body": device}
            for token in tokens
        ],
        "webhook, verified and stored": [
            {"method": "POST", "path": "/api/videos/webhooks/vdocipher/?token=benchmark", "body": hook}
            for hook in _hooks(hooked)
        ],
        "otp": [
            {"method": "POST", "path": f"/api/videos/{videos[1].id}/otp/", "token": token, "body": device}
            for token in tokens
        ],
    }


def _hooks(host_ids: list[str]) -> list[dict]:
    """Hooks about these copies in turn; sent round and round they are new ones first, then known ones."""
    return [
        {"hookId": "bench", "event": "video:ready", "time": number, "payload": {"id": host_id, "status": "ready"}}
        for number in range(HOOKS_EACH)
        for host_id in host_ids
    ]


if __name__ == "__main__":
    main()
