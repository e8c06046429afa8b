"""Every page on a desk and on a phone: it settles, fits its window, and the console stays clean.

With SCREENSHOTS=<folder> in the environment each page is photographed as well.
"""

import os
from pathlib import Path

import pytest

from courses.tests.factories import enroll_student, make_course, make_lesson
from eleven_tutors.tests.browser.world import proofs_course
from users.tests.factories import make_user

pytestmark = pytest.mark.browser

GUEST_PAGES = {
    "catalogue": ("/", "Introduction to Proofs"),
    "catalogue-empty": ("/?search=nothing+like+it", "No course fits"),
    "course-guest": ("/courses/introduction-to-proofs", "Sign in to buy"),
    "login": ("/login", "Sign in"),
    "register": ("/register", "Create an account"),
    "verify-email": ("/verify-email", "This link does not work"),
    "forgot-password": ("/forgot-password", "Forgot your password?"),
    "reset-password": ("/reset-password?uid=x&token=y", "Choose a new password"),
    "reset-password-incomplete": ("/reset-password", "This link does not work any more"),
    "payment-cancel-guest": ("/dashboard/payment-cancel?course-slug=introduction-to-proofs", "Sign in to buy"),
    "payment-success-guest": ("/dashboard/payment-success", "Sign in to see your order"),
}
STUDENT_PAGES = {
    "catalogue-student": ("/", "Enrolled"),
    "course-student": ("/courses/introduction-to-proofs", "Continue learning"),
    "course-to-buy": ("/courses/number-theory", "Buy for $59.00"),
    "course-free": ("/courses/logic-for-everyone", "Join for free"),
    "lesson": ("/lessons/what-is-a-proof", "watched"),
    "dashboard": ("/dashboard", "My courses"),
    "payment-cancel": ("/dashboard/payment-cancel?course-slug=number-theory", "Buy for $59.00"),
    "payment-success-unknown": ("/dashboard/payment-success", "We do not know this order"),
}
WIDTHS = {"desk": 1280, "phone": 390}


@pytest.fixture
def catalogue(sandbox):
    make_course(title="Number Theory", slug="number-theory", price_minor=5900, summary="Primes and what hides in them.")
    free = make_course(title="Logic for Everyone", slug="logic-for-everyone", price_minor=0)
    make_lesson(course=free, title="True or false")
    return proofs_course(sandbox)


def check_every_width(site, name: str, address: str, text: str) -> None:
    for label, width in WIDTHS.items():
        site.resize(width, 900 if width > 600 else 844)
        site.open(address)
        site.see(text)
        site.wait_until_settled()
        overflow, complaints = site.overflow_px(), site.complaints()
        if folder := os.environ.get("SCREENSHOTS"):
            site.photograph(Path(folder) / f"{name}-{label}.png")
        site.resize_back()
        assert overflow == 0, f"{address} is {overflow} px wider than {width} px"
        assert not complaints, f"{address}: {complaints}"


@pytest.mark.parametrize("name", GUEST_PAGES)
def test_a_guests_page_fits_and_complains_about_nothing(site, catalogue, name):
    check_every_width(site, name, *GUEST_PAGES[name])


@pytest.mark.parametrize("name", STUDENT_PAGES)
def test_a_students_page_fits_and_complains_about_nothing(site, catalogue, name):
    student = make_user(first_name="Maryam", last_name="Mirzakhani")
    enroll_student(student, catalogue)
    site.sign_in(student)

    check_every_width(site, name, *STUDENT_PAGES[name])
