import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from courses.models import Lesson
from courses.services import end_enrollment
from courses.tests.counting import statements
from courses.tests.factories import enroll_student, make_course, make_lesson, make_university
from courses.tests.people import make_instructor, make_staff
from eleven_tutors.video_access import _best, decide, decide_lessons, managed_videos, may_create, may_manage
from users.tests.factories import auth_client, make_user
from videos.access import Decision
from videos.models import AccessLevel, Video
from videos.tests.factories import make_video


def paid_video(**course):
    lesson = make_lesson(course=make_course(**course), video=make_video(access_level=AccessLevel.ENTITLED))
    return lesson.video


@pytest.mark.django_db
class TestLessonVideos:
    def test_a_stranger_is_told_that_they_are_not_enrolled(self):
        decision = decide(make_user(), paid_video())
        assert (decision.allowed, decision.code, decision.tier) == (False, "not_enrolled", "")

    def test_a_stranger_is_told_which_tier_would_do(self):
        decision = decide(make_user(), paid_video(included_in_tier="pro"))
        assert (decision.allowed, decision.code, decision.tier) == (False, "tier_too_low", "pro")

    def test_a_former_student_is_told_that_the_right_has_ended(self):
        video, student = paid_video(included_in_tier="pro"), make_user()
        enrollment = enroll_student(student, video.lessons.get().part.course)
        assert decide(student, video).allowed
        end_enrollment(enrollment=enrollment, reason="refund")
        assert decide(student, video).code == "enrollment_ended"

    def test_a_new_right_outweighs_one_that_ended(self):
        video, student = paid_video(), make_user()
        course = video.lessons.get().part.course
        end_enrollment(enrollment=enroll_student(student, course), reason="refund")
        enroll_student(student, course)
        assert decide(student, video).allowed

    def test_students_count_and_carry_their_name_and_address(self):
        video, student = paid_video(), make_user(first_name="Ada", last_name="{name}", email="ada@example.test")
        enroll_student(student, video.lessons.get().part.course)
        decision = decide(student, video)
        assert decision.counted
        assert decision.watermark == "Ada {name} (ada@example.test)"

    def test_instructors_owners_and_staff_watch_uncounted(self):
        teacher, owner = make_user(), make_user()
        video = paid_video(instructors=[teacher], is_published=False)
        video.owner = owner
        video.save()
        for user in (teacher, owner, make_staff(), make_user(is_superuser=True)):
            decision = decide(user, video)
            assert (decision.allowed, decision.counted) == (True, False)

    def test_being_let_into_the_admin_opens_no_video(self):
        assert not decide(make_user(is_staff=True), paid_video()).allowed
        assert not decide(make_instructor(), paid_video()).allowed

    def test_a_deactivated_superuser_runs_nothing(self):
        assert not decide(make_user(is_superuser=True, is_active=False), paid_video()).allowed

    def test_anonymous_people_are_asked_to_sign_in_even_for_a_preview(self):
        lesson = make_lesson(is_free_preview=True, video=make_video(access_level=AccessLevel.ENTITLED))
        assert decide(AnonymousUser(), lesson.video).code == "not_authenticated"
        assert decide(make_user(email_verified_at=None), lesson.video).allowed

    def test_one_lesson_that_allows_it_is_enough(self):
        video, student = paid_video(), make_user()
        assert not decide(student, video).allowed
        make_lesson(video=video, is_free_preview=True)
        assert decide(student, video).allowed

    def test_the_most_useful_reason_is_told(self):
        video, student = paid_video(), make_user()
        make_lesson(course=make_course(included_in_tier="pro"), video=video)
        assert decide(student, video).code == "tier_too_low"
        other = make_lesson(video=video).part.course
        end_enrollment(enrollment=enroll_student(student, other), reason="refund")
        assert decide(student, video).code == "enrollment_ended"

    @pytest.mark.parametrize("lessons", [1, 30])
    def test_a_decision_is_one_statement(self, lessons):
        video, student = make_video(access_level=AccessLevel.ENTITLED), make_user()
        for _ in range(lessons):
            make_lesson(video=video)
        assert statements(lambda: decide(student, video)) == 1

    @pytest.mark.parametrize("size", [2, 60])
    def test_many_lessons_are_one_statement(self, size):
        university = make_university()
        for _ in range(size):
            make_lesson(course=make_course(university=university))
        lessons, student = Lesson.objects.refs(), make_user()
        assert statements(lambda: decide_lessons(student, lessons)) == 1

    def test_no_lessons_get_no_decisions(self):
        assert decide_lessons(make_user(), []) == {}


@pytest.mark.django_db
class TestVideosOutsideLessons:
    @pytest.mark.parametrize("level", [AccessLevel.PUBLIC, AccessLevel.UNLISTED])
    def test_public_and_unlisted_ones_are_for_everybody(self, level):
        video = make_video(access_level=level)
        assert decide(AnonymousUser(), video).allowed
        assert decide(AnonymousUser(), video).watermark == ""
        assert decide(make_user(), video).allowed

    def test_those_for_members_want_a_verified_address(self):
        video = make_video(access_level=AccessLevel.MEMBERS)
        assert decide(make_user(), video).allowed
        assert decide(make_user(email_verified_at=None), video).code == "email_unverified"
        assert decide(AnonymousUser(), video).code == "not_authenticated"

    def test_those_for_a_tier_name_it(self):
        decision = decide(make_user(), make_video(access_level=AccessLevel.TIER, required_tier="pro"))
        assert (decision.allowed, decision.code, decision.tier) == (False, "tier_too_low", "pro")

    def test_the_rest_is_for_the_owner_and_staff(self):
        owner = make_user()
        video = make_video(access_level=AccessLevel.ENTITLED, owner=owner)
        assert decide(owner, video).allowed
        assert decide(make_staff(), video).allowed
        assert decide(make_user(), video).code == "not_entitled"


@pytest.mark.django_db
class TestSubjects:
    """A video that belongs to a course or a lesson follows it, although no lesson shows it."""

    def test_that_of_a_course_opens_to_its_students_and_teachers(self):
        teacher, student = make_user(), make_user()
        course = make_course(instructors=[teacher], included_in_tier="pro")
        video = make_video(access_level=AccessLevel.ENTITLED, subject=course)
        enrollment = enroll_student(student, course)
        assert decide(student, video).allowed
        assert not decide(teacher, video).counted
        assert decide(make_user(), video).code == "tier_too_low"
        end_enrollment(enrollment=enrollment, reason="refund")
        assert decide(student, video).code == "enrollment_ended"

    def test_that_of_a_preview_opens_to_everybody_signed_in(self):
        lesson = make_lesson(is_free_preview=True)
        video = make_video(access_level=AccessLevel.ENTITLED, subject=lesson)
        assert decide(make_user(), video).allowed
        assert decide(AnonymousUser(), video).code == "not_authenticated"

    def test_that_of_something_else_follows_its_level(self):
        teacher = make_user()
        course = make_course(instructors=[teacher])
        video = make_video(access_level=AccessLevel.ENTITLED, subject=course.university)
        assert decide(teacher, video).code == "not_entitled"

    @pytest.mark.parametrize("key", ["", "x", "9" * 18, "9" * 40, "1 OR 1", "-1"])
    def test_a_key_that_leads_nowhere_opens_nothing(self, key):
        course = make_course()
        video = make_video(access_level=AccessLevel.ENTITLED, subject=course)
        video.subject_id = key
        video.save()
        assert decide(make_user(), video).code == "not_entitled"

    def test_it_is_still_one_statement(self):
        video, student = make_video(access_level=AccessLevel.ENTITLED, subject=make_lesson()), make_user()
        assert statements(lambda: decide(student, video)) == 1


@pytest.mark.django_db
def test_a_reason_that_nobody_ranked_is_told_last():
    unknown, known = Decision(allowed=False, code="from_tomorrow"), Decision(allowed=False, code="not_enrolled")
    assert _best([unknown, known]) == known
    assert _best([unknown]) == unknown
    assert _best([unknown, Decision(allowed=True, code="from_tomorrow")]).allowed


@pytest.mark.django_db
def test_each_instructor_of_a_course_manages_what_it_shows_and_what_belongs_to_it(sandbox):
    first, second, stranger = make_instructor(), make_instructor(), make_instructor()
    lesson = make_lesson(course=make_course(instructors=[first, second]))
    make_course(instructors=[stranger])
    owned, other = make_video(owner=second), make_video(owner=stranger)
    shown = make_video(owner=first)
    lesson.video = shown
    lesson.save()
    make_lesson(part=lesson.part, video=shown)
    named = [make_video(owner=first, subject=lesson), make_video(owner=first, subject=lesson.part.course)]
    mine = {str(video.pk) for video in (owned, shown, *named)}
    listed = auth_client(second).get("/api/videos/").json()["results"]
    assert sorted(video["id"] for video in listed) == sorted(mine)
    admin = Client()
    admin.force_login(second)
    page = admin.get(reverse("admin:videos_video_changelist"))
    assert {str(video.pk) for video in page.context["cl"].queryset} == mine
    assert all(may_manage(second, video) for video in (owned, shown, *named))
    assert not may_manage(second, other)
    assert Video.objects.filter(managed_videos(make_staff())).count() == 5
    assert not Video.objects.filter(managed_videos(AnonymousUser())).exists()


@pytest.mark.django_db
def test_who_manages_a_video():
    teacher, other_teacher, owner = make_user(), make_user(), make_user()
    video = paid_video(instructors=[teacher])
    video.owner = owner
    video.save()
    make_course(instructors=[other_teacher])
    assert all(may_manage(user, video) for user in (teacher, owner, make_staff()))
    strangers = (other_teacher, make_user(), make_user(is_staff=True), AnonymousUser())
    assert not any(may_manage(user, video) for user in strangers)


@pytest.mark.django_db
def test_who_uploads_videos():
    teacher = make_user()
    make_course(instructors=[teacher])
    assert may_create(teacher)
    assert may_create(make_staff())
    assert not any(may_create(user) for user in (make_user(), make_user(is_staff=True), AnonymousUser()))


RIGHT = st.sampled_from(["none", "active", "ended", "ended, then active", "teaches"])
COURSES = st.lists(
    st.fixed_dictionaries(
        {"is_published": st.booleans(), "included_in_tier": st.sampled_from(["", "pro"]), "right": RIGHT}
    ),
    min_size=1,
    max_size=3,
)
SUBJECTS = st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=3, max_size=3)
LESSONS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=6)
PEOPLE = st.sampled_from(["anonymous", "student", "admin visitor", "staff", "superuser"])


class TestTheTwins(TestCase):
    """The answer for a video is the best of the answers for its lessons, in every world."""

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(kinds=COURSES, plan=LESSONS, subjects=SUBJECTS, who=PEOPLE)
    def test_the_answer_for_a_video_is_the_best_answer_for_its_lessons(self, kinds, plan, subjects, who):
        user, university = _person(who), make_university()
        courses = [_course(kind, user, university) for kind in kinds]
        videos = [make_video(access_level=AccessLevel.ENTITLED, asset=False) for _ in range(3)]
        lessons = [
            make_lesson(course=courses[course % len(courses)], video=videos[video], is_free_preview=is_preview)
            for course, video, is_preview in plan
        ]
        for video, number in zip(videos, subjects, strict=True):
            if number is not None:
                video.subject = lessons[number % len(lessons)]
                video.save()
        decisions = decide_lessons(user, Lesson.objects.refs())
        assert decisions.keys() == {lesson.pk for lesson in lessons}
        for video in videos:
            tied = [lesson for lesson in lessons if lesson.video_id == video.pk or lesson == video.subject]
            answers = [decisions[lesson.pk] for lesson in tied]
            if not answers:
                continue
            answer = decide(user, video)
            assert answer.allowed == any(each.allowed for each in answers)
            assert answer.counted == all(each.counted for each in answers)
            if len(answers) == 1 or not answer.allowed:
                assert answer in answers


def _person(who):
    match who:
        case "anonymous":
            return AnonymousUser()
        case "admin visitor":
            return make_user(is_staff=True)
        case "staff":
            return make_staff()
        case "superuser":
            return make_user(is_superuser=True)
    return make_user()


def _course(kind, user, university):
    right = kind["right"] if user.is_authenticated else "none"
    course = make_course(
        university=university,
        is_published=kind["is_published"],
        included_in_tier=kind["included_in_tier"],
        instructors=[user] if right == "teaches" else [],
    )
    if right.startswith("ended"):
        end_enrollment(enrollment=enroll_student(user, course), reason="refund")
    if right.endswith("active"):
        enroll_student(user, course)
    return course
