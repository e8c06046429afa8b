from datetime import timedelta

import pytest
from django.db.models import F

from users.models import AddressAttempts
from users.services import flush_attempts
from users.tests.answers import error
from users.tests.factories import PASSWORD, auth_client, make_user

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "/api/users/token/"
RESET = "/api/users/password/reset/"
RESEND = "/api/users/verify-email/resend/"
REGISTER = "/api/users/register/"


def log_in(api, email, *, ip="192.0.2.1", password="wrong", **headers):
    return api.post(TOKEN, {"email": email, "password": password}, REMOTE_ADDR=ip, **headers)


@pytest.mark.parametrize(
    ("url", "rate", "body"),
    [
        (TOKEN, "login", {"email": "{n}@example.test", "password": "wrong"}),
        (RESET, "mail", {"email": "{n}@example.test"}),
        (RESEND, "mail", {"email": "{n}@example.test"}),
        (REGISTER, "register", {"email": "{n}@example.test", "username": "n{n}", "password": PASSWORD}),
    ],
)
def test_one_place_is_slowed_down_and_told_for_how_long(api, sandbox, set_rate, url, rate, body):
    set_rate(rate, "2/min")
    answers = [api.post(url, {key: value.format(n=n) for key, value in body.items()}) for n in range(3)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]
    assert error(answers[-1]) == (429, "throttled", None)
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("url", "rate", "extra"),
    [
        (TOKEN, "login_address", {"password": "wrong"}),
        (RESET, "mail_address", {}),
        (RESEND, "mail_address", {}),
        (REGISTER, "mail_address", {"username": "ada", "password": PASSWORD}),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_one_address_is_shielded_from_many_places_whether_it_is_known_or_not(
    api, sandbox, set_rate, url, rate, extra, known
):
    set_rate(rate, "2/hour")
    if known:
        make_user(email="ada@example.test")
    bodies = [{"email": email} | extra for email in ("ada@example.test", "ADA@example.test", "Ada@Example.test")]
    answers = [api.post(url, body, REMOTE_ADDR=f"192.0.2.{n}") for n, body in enumerate(bodies)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]
    assert error(answers[-1]) == (429, "throttled", None)
    assert 3500 < int(answers[-1].headers["Retry-After"]) <= 3600


def test_a_log_in_that_succeeds_starts_the_count_afresh(api, set_rate):
    set_rate("login_address", "2/hour")
    user = make_user()
    for _ in range(3):
        assert log_in(api, user.email).status_code == 401
        assert log_in(api, user.email, password=PASSWORD).status_code == 200


def test_the_right_password_does_not_help_once_the_address_is_shut(api, set_rate):
    set_rate("login_address", "1/hour")
    user = make_user()
    log_in(api, user.email)
    assert log_in(api, user.email, password=PASSWORD).status_code == 429


def test_the_count_ends_with_its_window(api, set_rate):
    set_rate("login_address", "1/hour")
    user = make_user()
    log_in(api, user.email)
    AddressAttempts.objects.update(started_at=F("started_at") - timedelta(hours=1))
    assert log_in(api, user.email).status_code == 401


def test_a_place_that_is_slowed_down_does_not_use_up_the_address(api, set_rate):
    set_rate("login", "1/min")
    set_rate("login_address", "2/hour")
    for _ in range(4):
        log_in(api, "ada@example.test")
    assert AddressAttempts.objects.get().count == 1


def test_no_address_is_stored_in_the_clear(api):
    log_in(api, "ada@example.test")
    assert "ada" not in str(AddressAttempts.objects.values_list().get())


def test_guessing_the_present_password_is_slowed_down(set_rate):
    set_rate("login_address", "2/hour")
    client = auth_client(make_user())
    body = {"old_password": "wrong", "new_password": "a much better battery"}
    statuses = [client.post("/api/users/password/change/", body).status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def test_a_client_cannot_choose_its_own_address(api, set_rate):
    set_rate("login", "1/min")
    statuses = [log_in(api, f"{n}@example.test", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}").status_code for n in range(2)]
    assert statuses == [401, 429]


def test_clients_behind_a_trusted_proxy_are_told_apart(api, set_rate, settings):
    set_rate("login", "1/min")
    settings.TRUSTED_PROXIES = ["192.0.2.0/24"]
    places = ["198.51.100.1", "198.51.100.2", "203.0.113.9, 198.51.100.1"]
    statuses = [
        log_in(api, f"{n}@example.test", HTTP_X_FORWARDED_FOR=place).status_code for n, place in enumerate(places)
    ]
    assert statuses == [401, 401, 429]


def test_old_counts_are_flushed_and_running_ones_kept(api):
    log_in(api, "ada@example.test")
    assert flush_attempts() == 0
    AddressAttempts.objects.update(started_at=F("started_at") - timedelta(days=3))
    assert flush_attempts() == 1


@pytest.mark.parametrize("url", [TOKEN, RESET, RESEND, REGISTER])
def test_an_address_that_cannot_be_encoded_is_refused_before_it_is_counted(api, url):
    api.raise_request_exception = False
    body = '{"email": "\\ud800@example.test", "username": "ada", "password": "correct horse battery"}'
    answer = api.post(url, body, content_type="application/json")
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "email")
