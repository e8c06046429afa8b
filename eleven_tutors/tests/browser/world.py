"""A small catalogue whose videos exist at the hosts' stand-ins."""

from courses.models import Course, Lesson
from courses.tests.factories import make_course, make_lesson, make_part, make_university
from sandbox.server import Sandbox
from users.tests.factories import make_user
from videos.tests.factories import make_video

DESCRIPTION = """A proof is an argument that leaves no room for doubt. You will read good ones, find the gap in
bad ones, and write your own.

We begin with statements and what follows from them, and end with induction and the infinite."""


def hosted_video(sandbox: Sandbox, title: str, **asset):
    """A video that exists at the host under its id."""
    host_id = sandbox.add_video(title=title)
    return make_video(title=title, access_level="entitled", asset={"host_id": host_id, "duration_s": 60.0} | asset)


def proofs_course(sandbox: Sandbox) -> Course:
    """4900 cents; the lesson `welcome` is a free preview, `what-is-a-proof` is not."""
    course = make_course(
        title="Introduction to Proofs",
        slug="introduction-to-proofs",
        summary="Read, find the gap in, and write mathematical arguments.",
        description=DESCRIPTION,
        university=make_university(name="University of Northfield", slug="northfield"),
        instructors=[make_user(first_name="Emmy", last_name="Noether")],
        price_minor=4900,
    )
    first = make_part(course=course, title="Getting started", position=1)
    second = make_part(course=course, title="Induction", position=2)
    for part, title, slug, preview in (
        (first, "Welcome", "welcome", True),
        (first, "What is a proof?", "what-is-a-proof", False),
        (second, "The first domino", "the-first-domino", False),
    ):
        video = hosted_video(sandbox, title)
        make_lesson(part=part, title=title, slug=slug, is_free_preview=preview, video=video, description=DESCRIPTION)
    return course


def cloudflare_course(sandbox: Sandbox) -> Course:
    """A course of one lesson, `tides-and-the-moon`, whose video is at Cloudflare Stream."""
    course = make_course(title="The Sea", slug="the-sea", price_minor=2900)
    host_id = sandbox.cloudflare.add_video(title="Tides and the Moon")
    asset = {"provider": "cloudflare", "host_id": host_id, "duration_s": 48.0, "protection": "open"}
    video = make_video(title="Tides and the Moon", access_level="entitled", asset=asset)
    make_lesson(course=course, title="Tides and the Moon", slug="tides-and-the-moon", video=video)
    return course


def somebody_elses_lesson(sandbox: Sandbox) -> Lesson:
    course = make_course(title="Organic Chemistry", slug="organic-chemistry", price_minor=7900)
    return make_lesson(course=course, title="Carbon", slug="carbon", video=hosted_video(sandbox, "Carbon"))
