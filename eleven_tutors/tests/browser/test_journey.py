"""The main job, as a student does it."""

import re

import pytest

from courses.models import Enrollment
from courses.tests.factories import enroll_student
from eleven_tutors.tests.browser.site import Player
from eleven_tutors.tests.browser.world import proofs_course, somebody_elses_lesson
from payments.models import Order
from users.models import User
from users.tests.factories import make_user
from videos.models import PlaybackSession

pytestmark = pytest.mark.browser


def mailed_link(site, sandbox, to: str, path: str) -> str:
    def found():
        mails = [mail for mail in sandbox.messages() if to in str(mail["to"])]
        links = [link for mail in mails for link in re.findall(rf"{re.escape(site.url)}{path}\?\S+", mail["text"])]
        return links[0] if links else None

    return site.wait_for(found, f"a mail to {to} with a link to {path}")


def pay_by_card(site, number: str) -> None:
    field = site.find("[name=card_number]")
    field.clear()
    field.send_keys(number)
    site.find("#pay").click()


def test_a_stranger_registers_verifies_buys_and_watches(site, sandbox):
    proofs_course(sandbox)

    site.open("/register")
    site.fill(
        first_name="Ada",
        last_name="Lovelace",
        email="ada@example.test",
        username="ada",
        password="the analytical engine weaves",
    )
    site.submit()
    site.see("Check your inbox")

    site.open(mailed_link(site, sandbox, "ada@example.test", "/verify-email"))
    site.see("Your address is verified")
    site.click("Sign in")
    site.fill(email="Ada@Example.test", password="the analytical engine weaves")
    site.submit()
    site.see("Hello, Ada")

    site.open("/")
    site.click("Introduction to Proofs")
    site.see("What is a proof?")
    site.click("Buy for $49.00")
    site.wait_until_at(sandbox.stripe_url)
    pay_by_card(site, "4000 0000 0000 0002")
    assert "declined" in site.find("#error").text
    assert not Enrollment.objects.exists()
    pay_by_card(site, "4242 4242 4242 4242")

    site.wait_until_at("/dashboard/payment-success")
    site.see("You are enrolled")
    user = User.objects.get(email__iexact="ada@example.test")
    assert Enrollment.objects.get(user=user, is_active=True).course.slug == "introduction-to-proofs"
    assert Order.objects.get(user=user).status == "paid"
    site.wait_for(
        lambda: any(mail["subject"] for mail in sandbox.messages() if "Introduction to Proofs" in mail["text"]),
        "the confirmation of the order",
    )

    site.click("Go to the first lesson")
    site.wait_until_at("/lessons/welcome")
    site.click("What is a proof?")
    site.wait_until_at("/lessons/what-is-a-proof")
    with Player(site) as player:
        assert "Ada Lovelace (ada@example.test)" in player.watermark()
        player.wait_until_it_moves()
    site.wait_for(lambda: re.search(r"0:0[1-9] watched", site.text()), "the time that was watched")
    session = PlaybackSession.objects.filter(video__title="What is a proof?").latest("id")
    assert session.state == "issued"
    assert session.last_seq >= 1


def test_a_free_preview_plays_without_buying(site, sandbox):
    proofs_course(sandbox)
    student = make_user(first_name="Sofia", last_name="Kovalevskaya")
    site.sign_in(student)

    site.open("/courses/introduction-to-proofs")
    site.see("Free preview")
    site.click("Welcome")

    with Player(site) as player:
        assert f"Sofia Kovalevskaya ({student.email})" in player.watermark()
        player.wait_until_it_moves()


def test_the_free_preview_asks_a_guest_to_sign_in_and_then_leads_there(site, sandbox):
    proofs_course(sandbox)
    student = make_user()

    site.open("/courses/introduction-to-proofs")
    site.see("Sign in to buy")
    site.click("Welcome")
    site.wait_until_at("/login")
    site.fill(email=student.email, password="correct horse battery")
    site.submit()

    site.wait_until_at("/lessons/welcome")
    with Player(site) as player:
        player.wait_until_it_moves()


def test_a_paid_lesson_of_another_course_is_not_shown(site, sandbox):
    somebody_elses_lesson(sandbox)
    course = proofs_course(sandbox)
    student = make_user()
    enroll_student(student, course)
    site.sign_in(student)

    site.open("/lessons/carbon")

    site.see("This lesson is not open to you")
    assert not site.visible("iframe")
    assert not PlaybackSession.objects.exists()


def test_a_guest_is_asked_to_sign_in_for_a_lesson(site, sandbox):
    proofs_course(sandbox)

    site.open("/lessons/what-is-a-proof")

    site.see("Sign in to watch")
    assert not site.visible("iframe")


def test_buying_needs_a_verified_address(site, sandbox):
    proofs_course(sandbox)
    site.sign_in(make_user(email="new@example.test", email_verified_at=None))

    site.open("/courses/introduction-to-proofs")
    site.see("Verify your e-mail first")
    site.click("Send the link again")

    site.see("The new link is in your inbox")
    site.open(mailed_link(site, sandbox, "new@example.test", "/verify-email"))
    site.see("Your address is verified")
    site.open("/courses/introduction-to-proofs")
    site.see("Buy for $49.00")


def test_a_lost_webhook_is_made_up_for_by_the_landing_page(site, sandbox):
    course = proofs_course(sandbox)
    sandbox.context.webhooks.stripe_url = ""
    student = make_user()
    site.sign_in(student)

    site.open("/courses/introduction-to-proofs")
    site.click("Buy for $49.00")
    site.wait_until_at(sandbox.stripe_url)
    pay_by_card(site, "4242 4242 4242 4242")

    site.see("You are enrolled")
    assert student.enrollments.get().course == course
    site.open("/dashboard")
    site.see("$49.00")
    site.see("Paid")


def test_leaving_the_checkout_leads_back_to_the_course(site, sandbox):
    proofs_course(sandbox)
    site.sign_in(make_user())

    site.open("/courses/introduction-to-proofs")
    site.click("Buy for $49.00")
    site.wait_until_at(sandbox.stripe_url)
    site.find("#back").click()

    site.wait_until_at("/dashboard/payment-cancel")
    site.see("You left the checkout")
    site.click("Buy for $49.00")
    site.wait_until_at(sandbox.stripe_url)


def test_a_forgotten_password_is_replaced_by_the_mailed_link(site, sandbox):
    make_user(email="forgetful@example.test")

    site.open("/forgot-password")
    site.fill(email="forgetful@example.test")
    site.submit()
    site.see("Check your inbox")
    link = mailed_link(site, sandbox, "forgetful@example.test", "/reset-password")
    site.open(link)
    site.fill(password="a far better secret of mine")
    site.submit()
    site.see("Password saved")
    site.click("Sign in")
    site.fill(email="forgetful@example.test", password="a far better secret of mine")
    site.submit()
    site.wait_until_at("/dashboard")

    site.open(link)
    site.fill(password="and yet another of these")
    site.submit()
    site.see("This link does not work any more")
