import pytest
from rest_framework.test import APIClient

from courses.tests.factories import make_course, make_university

pytestmark = pytest.mark.django_db


def test_universities_come_by_name_with_their_published_courses_counted():
    second = make_university(name="B", slug="b", website="https://b.example", description="Old.")
    make_university(name="A", slug="a")
    make_course(university=second)
    make_course(university=second, is_published=False)
    rows = APIClient().get("/api/courses/universities/").json()["results"]
    assert [row["name"] for row in rows] == ["A", "B"]
    assert rows[1] == {
        "name": "B",
        "slug": "b",
        "description": "Old.",
        "website": "https://b.example",
        "logo_url": "",
        "course_count": 1,
    }


def test_one_university_is_found_by_its_slug():
    make_university(name="A", slug="a")
    assert APIClient().get("/api/courses/universities/a/").json()["name"] == "A"
    assert APIClient().get("/api/courses/universities/z/").status_code == 404
