"""No sentence tells a student something untrue: about the money, or about what is open."""

import pytest

from payments.api.order_words import OrderInWords
from payments.models import OrderStatus


def words(status: str, *accesses: str, **facts) -> str:
    values = {
        "total_minor": 4900,
        "is_duplicate": False,
        "has_unmatched": False,
        "is_under_review": False,
        "refunded_minor": 0,
        "given_minor": 0,
    }
    return OrderInWords(status=status, accesses=accesses or ("none",), **values | facts).sentence()


BACK = {"refunded_minor": 4900, "given_minor": 4900}


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (("paid", "granted"), "Paid: the course is yours."),
        (("paid", "granted", "granted"), "Paid: the courses are yours."),
        (("paid", "suspended"), "Your bank has decided about this payment; we open the course again by hand."),
        (("disputed", "suspended"), "Your bank is looking at this payment; the course is paused until it has decided."),
        (("paid", "revoked"), "Your refund did not reach you, and the course is closed; we will write to you."),
        (("paid", "none"), "Paid: we open the course for you within minutes."),
        (("disputed", "granted"), "Your bank is looking at this payment; nothing changes for you meanwhile."),
        (("partially_refunded", "granted"), "Part of the money was given back; the course stays yours."),
        (
            ("partially_refunded", "granted", "revoked"),
            "Part of the money was given back, for what is no longer open to you; the rest stays yours.",
        ),
        (
            ("partially_refunded", "revoked"),
            "Part of the money was given back, and this order no longer opens a course.",
        ),
        (("refunded", "revoked"), "Your bank has returned the money, so this order no longer opens the course."),
        (("refunded", "granted"), "The money was given back; the course stays open to you."),
    ],
)
def test_what_is_said_agrees_with_what_is_open(told, sentence):
    assert words(*told) == sentence


def test_a_refund_says_how_long_it_takes_and_a_double_purchase_why():
    assert "no longer opens the course; banks take five to ten days" in words("refunded", "revoked", **BACK)
    assert words("refunded", "revoked", is_duplicate=True, **BACK).startswith("You had the course already")
    assert "what you paid twice was given back" in words("paid", "granted", **BACK)
    assert words("paid", "granted", total_minor=0).startswith("Free:")


@pytest.mark.parametrize("status", ["failed", "expired", "pending"])
def test_nobody_who_has_paid_reads_that_nothing_was_charged(status):
    assert "please do not pay again" in words(status, has_unmatched=True, is_under_review=True)
    assert "we gave the money back" in words(status, has_unmatched=True, refunded_minor=4900, given_minor=4900)
    assert "our staff has dealt with it" in words(status, has_unmatched=True)


def test_every_state_has_one_sentence():
    for status in OrderStatus.values:
        for access in ("none", "granted", "suspended", "revoked"):
            sentence = words(status, access)
            assert sentence.endswith(".")
            assert sentence.count(". ") == 0
