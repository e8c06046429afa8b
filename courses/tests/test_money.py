import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from courses.money import display
from courses.tests.factories import make_course


@pytest.mark.parametrize(
    ("amount_minor", "currency", "expected"),
    [
        (4900, "usd", "$49.00"),
        (4905, "eur", "€49.05"),
        (7, "gbp", "£0.07"),
        (4900, "jpy", "¥4,900"),
        (123456789, "USD", "$1,234,567.89"),
        (0, "usd", "$0.00"),
        (-150, "usd", "-$1.50"),
        (1000, "chf", "CHF 10.00"),
    ],
)
def test_amounts_are_written_as_people_write_them(amount_minor, currency, expected):
    assert display(amount_minor, currency) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("price_minor", "currency", "code"),
    [
        (49, "usd", "price_too_small"),
        (29, "gbp", "price_too_small"),
        (49, "jpy", "price_too_small"),
        (100_000_000, "usd", "price_too_large"),
        (100_000_000, "jpy", "price_too_large"),
        (5000, "chf", "currency_not_offered"),
        (5000, "USD", "currency_not_offered"),
    ],
)
def test_a_course_cannot_be_sold_at_what_no_card_can_pay(price_minor, currency, code):
    course = make_course(description="x")
    course.price_minor, course.currency = price_minor, currency
    with pytest.raises(ValidationError) as refused:
        course.full_clean()
    assert code in [error.code for errors in refused.value.error_dict.values() for error in errors]


@pytest.mark.django_db
@pytest.mark.parametrize(("price_minor", "currency"), [(0, "usd"), (50, "usd"), (30, "gbp"), (50, "jpy")])
def test_free_and_the_least_price_are_fine(price_minor, currency):
    make_course(price_minor=price_minor, currency=currency).full_clean()


@pytest.mark.django_db
def test_the_list_of_currencies_is_a_setting(settings):
    settings.COURSE_CURRENCIES = ["eur"]
    with pytest.raises(ValidationError, match="sold in eur"):
        make_course(currency="usd").full_clean()


@pytest.mark.django_db
def test_the_database_keeps_currencies_in_lower_case():
    with pytest.raises(IntegrityError), transaction.atomic():
        make_course(currency="USD")
