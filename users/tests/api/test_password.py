import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from users.models import User
from users.services import request_password_reset, reset_password
from users.tests.answers import error
from users.tests.factories import PASSWORD, auth_client, make_user

pytestmark = pytest.mark.django_db(transaction=True)
RESET = "/api/users/password/reset/"
CONFIRM = "/api/users/password/reset/confirm/"
CHANGE = "/api/users/password/change/"
REFRESH = "/api/users/token/refresh/"
NEW = "a much better battery"


@pytest.fixture
def ada() -> User:
    return make_user(email="ada@example.test")


@pytest.fixture
def pair(api, ada) -> dict:
    return api.post("/api/users/token/", {"email": ada.email, "password": PASSWORD}).json()


@pytest.fixture
def link(api, ada, mailed_query) -> dict:
    api.post(RESET, {"email": ada.email})
    return mailed_query("ada@example.test")


def test_a_mailed_link_sets_a_password_once_and_tells_the_owner(api, ada, link, sandbox):
    assert set(link) == {"uid", "token"}
    assert api.post(CONFIRM, link | {"password": NEW}).status_code == 204
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert sandbox.messages()[0]["subject"] == "Your password was changed"
    assert error(api.post(CONFIRM, link | {"password": "and once more now"})) == (400, "token_invalid", "token")
    ada.refresh_from_db()
    assert ada.check_password(NEW)


def test_a_reset_ends_every_log_in(api, pair, link):
    api.post(CONFIRM, link | {"password": NEW})
    assert error(api.post(REFRESH, {"refresh": pair["refresh"]})) == (401, "token_not_valid", None)


def test_a_reset_verifies_the_address_that_the_link_reached(api, ada, link):
    User.objects.update(email_verified_at=None)
    api.post(CONFIRM, link | {"password": NEW})
    ada.refresh_from_db()
    assert ada.is_email_verified


def test_a_reset_keeps_the_day_of_the_first_verification(api, ada, link):
    verified_at = ada.email_verified_at
    api.post(CONFIRM, link | {"password": NEW})
    ada.refresh_from_db()
    assert ada.email_verified_at == verified_at


def test_a_reset_link_ends(api, link, settings):
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert error(api.post(CONFIRM, link | {"password": NEW})) == (400, "token_invalid", "token")


def test_a_reset_link_is_bound_to_the_address(api, link):
    User.objects.update(email="other@example.test")
    assert error(api.post(CONFIRM, link | {"password": NEW})) == (400, "token_invalid", "token")


def test_the_reset_link_of_a_closed_account_does_nothing(api, link):
    User.objects.update(is_active=False)
    assert error(api.post(CONFIRM, link | {"password": NEW})) == (400, "token_invalid", "token")


@pytest.mark.parametrize("uid", ["", "MQ", "x", "!!", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "w7w", "4pyTIA"])
def test_a_garbled_uid_is_refused(api, link, uid):
    answer = api.post(CONFIRM, link | {"uid": uid, "password": NEW})
    assert answer.status_code == 400


def test_a_link_of_somebody_else_does_not_open_this_account(api, ada, link, mailed_query):
    other = make_user(email="other@example.test")
    api.post(RESET, {"email": other.email})
    foreign = mailed_query("other@example.test")
    answer = api.post(CONFIRM, {"uid": link["uid"], "token": foreign["token"], "password": NEW})
    assert error(answer) == (400, "token_invalid", "token")


def test_a_weak_password_is_refused_and_the_link_stays_good(api, link):
    answer = api.post(CONFIRM, link | {"password": "12345"})
    assert {item["code"] for item in answer.json()["errors"]} >= {"password_too_short", "password_entirely_numeric"}
    assert {item["attr"] for item in answer.json()["errors"]} == {"password"}
    assert api.post(CONFIRM, link | {"password": NEW}).status_code == 204


@pytest.mark.parametrize("email", ["nobody@example.test", "closed@example.test"])
def test_asking_for_an_unknown_address_answers_the_same_and_mails_nothing(api, ada, sandbox, email):
    make_user(email="closed@example.test", is_active=False)
    known = api.post(RESET, {"email": ada.email})
    mails = len(sandbox.messages())
    unknown = api.post(RESET, {"email": email})
    assert (unknown.status_code, unknown.content) == (known.status_code, known.content) == (202, b"")
    assert (mails, len(sandbox.messages())) == (1, 1)


def test_asking_costs_the_same_statements_for_a_known_and_an_unknown_address(ada):
    counts = set()
    for email in ("ada@example.test", "nobody@example.test"):
        with transaction.atomic(), CaptureQueriesContext(connection) as statements:
            request_password_reset(email=email)
            counts.add(len(statements))
            transaction.set_rollback(True)
    assert len(counts) == 1
    assert counts.pop() > 1


def test_the_mail_goes_to_the_stored_address(api, ada, mailed_query):
    api.post(RESET, {"email": "ADA@example.test"})
    assert mailed_query("ada@example.test")


def test_changing_ends_other_log_ins_and_gives_a_new_pair(api, ada, pair, sandbox):
    answer = auth_client(ada).post(CHANGE, {"old_password": PASSWORD, "new_password": NEW})
    assert answer.status_code == 200
    assert api.post(REFRESH, {"refresh": pair["refresh"]}).status_code == 401
    assert api.post(REFRESH, {"refresh": answer.json()["refresh"]}).status_code == 200
    assert api.post("/api/users/token/", {"email": ada.email, "password": NEW}).status_code == 200
    assert api.post("/api/users/token/", {"email": ada.email, "password": PASSWORD}).status_code == 401
    assert sandbox.messages()[0]["subject"] == "Your password was changed"


def test_changing_needs_the_present_password(ada):
    answer = auth_client(ada).post(CHANGE, {"old_password": "wrong", "new_password": NEW})
    assert error(answer) == (400, "password_incorrect", "old_password")


def test_changing_to_a_weak_password_is_refused(ada):
    answer = auth_client(ada).post(CHANGE, {"old_password": PASSWORD, "new_password": "short"})
    assert error(answer) == (400, "password_too_short", "new_password")


def test_changing_needs_a_signed_in_user(api):
    assert error(api.post(CHANGE, {"old_password": PASSWORD, "new_password": NEW})) == (401, "not_authenticated", None)


def test_a_password_change_kills_a_reset_link(api, ada, link):
    auth_client(ada).post(CHANGE, {"old_password": PASSWORD, "new_password": NEW})
    assert error(api.post(CONFIRM, link | {"password": "yet another battery"})) == (400, "token_invalid", "token")


def test_a_reset_ends_the_sessions_of_the_admin(api, ada, mailed_query):
    ada.is_staff = ada.is_superuser = True
    ada.save()
    browser = Client()
    browser.force_login(ada)
    assert browser.get("/admin/users/user/").status_code == 200
    api.post(RESET, {"email": ada.email})
    reset_password(**mailed_query(ada.email), password=NEW)
    assert browser.get("/admin/users/user/").status_code == 302
