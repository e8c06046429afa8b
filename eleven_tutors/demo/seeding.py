"""Fills an installation with the demo. What exists already, by slug or address, is left as it is."""

from collections.abc import Callable, Mapping

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from courses.models import Course, Lesson, Part, University
from eleven_tutors.demo import own_film
from eleven_tutors.demo.activity import make_activity
from eleven_tutors.demo.catalogue import DemoCourse, DemoPerson, DemoUniversity, load_catalogue
from eleven_tutors.demo.orders import make_orders
from eleven_tutors.demo.pictures import course_picture, logo_picture
from eleven_tutors.demo.stand_in_videos import StandIn, find_stand_in
from eleven_tutors.groups import INSTRUCTORS, STAFF
from users.models import User
from videos.models import Asset, AssetStatus
from videos.services.assets import attach_host_id, refresh_asset
from videos.services.details import set_tags

PASSWORD = "demo-11tutors"  # noqa: S105 (public on purpose; seed_demo refuses to run in production)
STUDENT = DemoPerson(email="student@demo.test", first_name="Maya", last_name="Lindqvist")
ADMIN = DemoPerson(email="admin@demo.test", first_name="Robin", last_name="Adeyemi")


def seed(tell: Callable[[str], None]) -> None:
    """Make accounts, universities, courses and, at a stand-in host, videos; `tell` hears about the progress."""
    catalogue = load_catalogue()
    tell("Accounts …")
    student = make_person(STUDENT)
    make_person(ADMIN, group=STAFF, is_superuser=True)
    instructors = {person.email: make_person(person, group=INSTRUCTORS) for person in catalogue.instructors}
    tell(f"{len(catalogue.universities)} universities …")
    universities = {university.slug: make_university(university) for university in catalogue.universities}
    for number, course in enumerate(catalogue.courses, start=1):
        tell(f"Course {number} of {len(catalogue.courses)}: {course.title}")
        make_course(course, universities, instructors)
    _fill_videos(tell)
    tell("Students who have been learning for a while …")
    make_activity(make_person)
    tell("Orders in each state …")
    make_orders(student)


def make_person(person: DemoPerson, *, group: str = "", is_superuser: bool = False) -> User:
    """An account with a verified address and the demo's password; those of a group may enter the admin."""
    user = User.objects.filter(email__iexact=person.email).first()
    if user is None:
        user = User.objects.create_user(
            username=f"demo-{person.email.partition('@')[0].replace('.', '-')}",
            email=person.email,
            password=PASSWORD,
            first_name=person.first_name,
            last_name=person.last_name,
            email_verified_at=timezone.now(),
            is_staff=bool(group),
            is_superuser=is_superuser,
        )
        if group:
            user.groups.add(Group.objects.get(name=group))
    return user


def make_university(plan: DemoUniversity) -> University:
    university, is_new = University.objects.get_or_create(
        slug=plan.slug, defaults={"name": plan.name, "website": plan.website, "description": plan.description}
    )
    if is_new:
        university.logo.save("logo.png", logo_picture(plan.name))
    return university


@transaction.atomic
def make_course(plan: DemoCourse, universities: Mapping[str, University], instructors: Mapping[str, User]) -> Course:
    course, is_new = Course.objects.get_or_create(
        slug=plan.slug,
        defaults={
            "title": plan.title,
            "university": universities[plan.university],
            "summary": plan.summary,
            "description": plan.description,
            "price_minor": plan.price_minor,
            "currency": plan.currency,
            "level": plan.level,
            "is_published": True,
        },
    )
    if is_new:
        course.thumbnail.save("picture.jpg", course_picture(plan.title, course.university.name))
        course.instructors.set([instructors[email] for email in plan.instructors])
        _make_lessons(course, plan)
    return course


def _make_lessons(course: Course, plan: DemoCourse) -> None:
    for part_position, part_plan in enumerate(plan.parts):
        part = Part.objects.create(course=course, title=part_plan.title, position=part_position)
        for position, lesson in enumerate(part_plan.lessons):
            Lesson.objects.get_or_create(
                slug=lesson.slug,
                defaults={
                    "part": part,
                    "title": lesson.title,
                    "position": position,
                    "is_free_preview": lesson.is_free_preview,
                    "is_exam": lesson.is_exam,
                },
            )


def _fill_videos(tell: Callable[[str], None]) -> None:
    _fill_from_our_own_host(tell)
    paid = find_stand_in()
    if paid is None:
        tell("No stand-in for VdoCipher is configured, so the lessons come without videos.")
        return
    free = find_stand_in("cloudflare") or paid
    slugs = [lesson.slug for course in load_catalogue().courses for part in course.parts for lesson in part.lessons]
    lessons = list(Lesson.objects.filter(slug__in=slugs).select_related("part__course", "video").in_order())
    tell(f"Videos of {len(lessons)} lessons …")
    try:
        for lesson in lessons:
            _fill_video(free if lesson.part.course.is_free else paid, lesson)
    finally:
        paid.close()
        free.close()


def _fill_from_our_own_host(tell: Callable[[str], None]) -> None:
    empty = Lesson.objects.filter(slug=own_film.LESSON, video=None).select_related("part__course__university")
    lesson, parts = empty.first(), own_film.find_own_host()
    if lesson is None or parts is None:
        return
    tell(f"A film at our own host, encrypted: {lesson.title}")
    teacher = lesson.part.course.instructors.order_by("pk").first()
    video = own_film.upload_film(parts, lesson, teacher)
    if video is not None:
        set_tags(video, ["lesson", lesson.part.course.level])


def _fill_video(stand_in: StandIn, lesson: Lesson) -> None:
    if lesson.video is None:
        teacher = lesson.part.course.instructors.order_by("pk").first()
        host_id = stand_in.put_video(slug=lesson.slug, title=lesson.title)
        with transaction.atomic():
            asset = attach_host_id(host_id=host_id, title=lesson.title, owner=teacher, provider_alias=stand_in.alias)
            # No teacher waits for the mail that a sample is ready.
            Asset.objects.filter(pk=asset.pk).update(announced_status=AssetStatus.READY)
        lesson.video = asset.video
        lesson.save(update_fields=["video", "updated_at"])
        set_tags(asset.video, ["preview" if lesson.is_free_preview else "lesson", lesson.part.course.level])
    current = lesson.video.get_current_asset()
    if current and current.provider == stand_in.alias:
        stand_in.put_video(slug=lesson.slug, title=lesson.title)
        if current.status != AssetStatus.READY:
            refresh_asset(current.pk)
