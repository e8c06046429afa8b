import pytest

from courses.tests.people import make_instructor, make_staff
from eleven_tutors.video_access import may_manage
from videos.tests.factories import make_video

pytestmark = pytest.mark.django_db


def test_staff_have_every_right_over_videos_and_courses():
    staff = make_staff()
    assert staff.has_perms(["videos.manage_all_videos", "courses.manage_all_courses", "videos.view_playbacksession"])
    assert may_manage(staff, make_video())


def test_instructors_enter_the_admin_without_a_right_over_others():
    instructor = make_instructor()
    assert instructor.has_perms(["videos.change_video", "videos.add_caption", "courses.change_lesson"])
    assert not instructor.has_perm("videos.manage_all_videos")
    assert not instructor.has_perm("courses.manage_all_courses")
