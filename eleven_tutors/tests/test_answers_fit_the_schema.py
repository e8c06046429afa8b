"""Answers that are written without their serializers' machinery still have the shape that the schema promises."""

from typing import Any

import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker
from rest_framework.test import APIClient

from courses.tests.factories import enroll_student, make_course, make_lesson, make_part, make_university
from courses.tests.pictures import picture
from payments.models import PaymentStatus, Refund
from payments.tests.buying import make_order, make_payment
from users.tests.factories import auth_client, make_user
from videos.tests.factories import make_asset

pytestmark = pytest.mark.django_db
COURSES = "/api/courses/courses/"
ORDERS = "/api/payments/orders/"


@pytest.fixture(scope="module")
def components() -> dict[str, Any]:
    """The schema's components, strict: every property is there and no other one."""
    found = SchemaGenerator().get_schema(request=None, public=True)["components"]
    for component in found["schemas"].values():
        if "properties" in component:
            component |= {"required": list(component["properties"]), "additionalProperties": False}
    return found


@pytest.fixture
def course():
    teachers = [make_user(first_name="Ada"), make_user()]
    university = make_university(logo=picture())
    course = make_course(university=university, thumbnail=picture(), instructors=teachers, description="Long.")
    make_lesson(course=course, video=make_asset(duration_s=321.5).video)
    make_lesson(course=course)
    make_part(course=course)
    return course


def misfits(answer: Any, name: str, components: dict[str, Any]) -> list[str]:
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    checker = Draft202012Validator(schema, format_checker=FormatChecker())
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(answer)]


def test_the_strict_schema_refuses_what_is_missing_and_what_is_too_much(components, course):
    card = APIClient().get(COURSES).json()["results"][0]
    assert misfits(card | {"secret": 1}, "CourseCard", components)
    assert misfits({key: card[key] for key in card if key != "title"}, "CourseCard", components)
    assert misfits(card | {"price_minor": "4900"}, "CourseCard", components)


@pytest.mark.parametrize("signed_in", [False, True])
def test_courses_fit_the_schema(components, course, signed_in):
    make_course()
    student = make_user()
    enroll_student(student, course)
    client = auth_client(student) if signed_in else APIClient()
    listed = client.get(COURSES).json()
    assert len(listed["results"]) == 2
    assert misfits(listed, "PaginatedCourseCardList", components) == []
    page = client.get(f"{COURSES}{course.slug}/").json()
    assert len(page["parts"]) == 3
    assert misfits(page, "CourseDetail", components) == []
    card = next(card for card in listed["results"] if card["slug"] == course.slug)
    assert page == page | card


def test_orders_fit_the_schema(components):
    user = make_user()
    for status in PaymentStatus:
        payment = make_payment(make_order(user=user), status=status)
        Refund.objects.create(payment=payment, amount_minor=1, currency="usd", created_at=timezone.now())
    make_order(user=user)
    answer = auth_client(user).get(ORDERS).json()
    assert answer["count"] == 5
    assert sum(len(row["refunds"]) for row in answer["results"]) == 4
    assert misfits(answer, "PaginatedOrderList", components) == []
