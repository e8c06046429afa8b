import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from rest_framework_simplejwt.exceptions import TokenError

from users.models import User
from users.services import issue_tokens, rotate_refresh_token
from users.tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/users/user/"
LOGIN = "/admin/login/"


@pytest.fixture
def staff() -> User:
    return make_user(email="boss@example.test", username="boss", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(staff) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def test_accounts_are_found_by_address_and_name(browser):
    make_user(email="ada@example.test", last_name="Lovelace")
    make_user(email="grace@example.test", last_name="Hopper")
    for term in ("lovelace", "ADA@"):
        page = browser.get(LIST, {"q": term}).content.decode()
        assert "ada@example.test" in page
        assert "grace@example.test" not in page


def test_verification_mails_are_sent_again_where_they_are_needed(browser, sandbox):
    users = [make_user(email="ada@example.test", email_verified_at=None), make_user()]
    body = {"action": "resend_verification", "_selected_action": [user.pk for user in users]}
    page = browser.post(LIST, body, follow=True).content.decode()
    assert "1 mails are on their way; 1 accounts needed none." in page
    assert [mail["to"] for mail in sandbox.messages()] == [["ada@example.test"]]


def test_an_account_is_added_with_an_address_that_is_free_whatever_its_case(browser, staff):
    add = reverse("admin:users_user_add")
    assert browser.get(add).status_code == 200
    body = {"email": "BOSS@example.test", "username": "new", "password1": PASSWORD, "password2": PASSWORD}
    assert "Another account has this address." in browser.post(add, body).content.decode()
    assert browser.post(add, body | {"email": "New@Example.test"}).status_code == 302
    assert User.objects.get(username="new").email == "New@example.test"


def change_form(user: User, **overrides) -> dict:
    return {"email": user.email, "username": user.username, "is_active": "on"} | overrides


def test_a_new_address_has_to_be_verified_again(browser):
    user = make_user()
    change = reverse("admin:users_user_change", args=[user.pk])
    assert browser.get(change).status_code == 200
    assert browser.post(change, change_form(user, first_name="Ada")).status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.is_email_verified) == ("Ada", True)
    browser.post(change, change_form(user, email="new@example.test"))
    user.refresh_from_db()
    assert (user.email, user.is_email_verified) == ("new@example.test", False)


def test_setting_a_password_logs_the_account_out(browser):
    user = make_user()
    refresh = issue_tokens(user).refresh
    page = reverse("admin:auth_user_password_change", args=[user.pk])
    assert browser.get(page).status_code == 200
    body = {"password1": "a much better battery", "password2": "a much better battery"}
    assert browser.post(page, body).status_code == 302
    user.refresh_from_db()
    assert user.check_password("a much better battery")
    with pytest.raises(TokenError):
        rotate_refresh_token(refresh)


def test_an_account_is_logged_out_everywhere(browser):
    user = make_user()
    refresh = issue_tokens(user).refresh
    browser.post(LIST, {"action": "log_out", "_selected_action": [user.pk]})
    with pytest.raises(TokenError):
        rotate_refresh_token(refresh)


def test_the_admin_is_entered_by_address_whatever_its_case(staff):
    answer = Client().post(LOGIN, {"username": "BOSS@example.test", "password": PASSWORD, "next": LIST})
    assert (answer.status_code, answer.headers.get("Location")) == (302, LIST)


def test_guesses_at_the_admin_are_counted_with_those_at_the_api(staff, api, set_rate):
    set_rate("login_address", "2/hour")
    api.post("/api/users/token/", {"email": staff.email, "password": "wrong"})
    guess = {"username": staff.email, "password": "wrong"}
    assert "Too many tries" not in Client().post(LOGIN, guess).content.decode()
    shut = Client().post(LOGIN, guess | {"password": PASSWORD})
    assert (shut.status_code, "Too many tries" in shut.content.decode()) == (200, True)


def test_guesses_at_many_addresses_from_one_place_are_slowed_down(staff, set_rate):
    set_rate("login", "2/min")
    for n in range(2):
        Client().post(LOGIN, {"username": f"{n}@example.test", "password": "wrong"})
    right = {"username": staff.email, "password": PASSWORD}
    forged = Client().post(LOGIN, right, headers={"X-Forwarded-For": "198.51.100.7"})
    assert (forged.status_code, "Too many tries" in forged.content.decode()) == (200, True)
    assert Client(REMOTE_ADDR="192.0.2.9").post(LOGIN, right).status_code == 302


def test_refresh_tokens_have_no_page():
    registered = {model._meta.label for model in admin.site._registry}
    assert not {"token_blacklist.OutstandingToken", "token_blacklist.BlacklistedToken"} & registered
