import pytest
from django.contrib.auth.hashers import identify_hasher

from users.models import HeldUsername, User
from users.services import verification_token
from users.tests.answers import error
from users.tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/users/register/"


def details(**overrides) -> dict:
    return {"email": "Ada@Example.test", "username": "ada", "password": PASSWORD} | overrides


def test_a_registration_opens_an_unverified_account_and_mails_a_link(api, sandbox, mailed_query):
    answer = api.post(URL, details(first_name="Ada", last_name="Lovelace"))
    assert (answer.status_code, list(answer.json())) == (201, ["detail"])
    user = User.objects.get()
    assert (user.email, user.username, user.get_full_name()) == ("Ada@example.test", "ada", "Ada Lovelace")
    assert user.email_verified_at is None
    assert user.check_password(PASSWORD)
    verified = api.post("/api/users/verify-email/", mailed_query("Ada@example.test"))
    assert (verified.status_code, verified.json()) == (200, {"email": "Ada@example.test"})
    [mail] = sandbox.messages()
    assert "verify-email?token=" in mail["html"]


def test_the_mail_repeats_nothing_that_the_registrant_wrote(api, sandbox):
    api.post(URL, details(first_name="Win money at evil.test", username="click-evil"))
    [mail] = sandbox.messages()
    assert "evil" not in mail["text"] + mail["html"] + mail["subject"]


@pytest.mark.parametrize("email", ["ada@example.test", "ADA@EXAMPLE.TEST"])
def test_a_known_address_answers_as_a_new_one_and_tells_its_owner(api, sandbox, email):
    fresh = api.post(URL, details(email="new@example.test", username="new"))
    owner = make_user(email="ada@example.test", username="lovelace")
    password = owner.password
    known = api.post(URL, details(email=email, password="another horse battery"))
    assert (known.status_code, known.json(), known.headers["Content-Type"]) == (
        fresh.status_code,
        fresh.json(),
        fresh.headers["Content-Type"],
    )
    owner.refresh_from_db()
    assert (User.objects.count(), owner.password, owner.username) == (2, password, "lovelace")
    newest = sandbox.messages()[0]
    assert (newest["to"], newest["subject"]) == (["ada@example.test"], "You already have an account")
    assert "token=" not in newest["text"]


def test_an_unverified_account_is_offered_a_password_of_its_owner(api, sandbox, mailed_query):
    squatter = make_user(email="ada@example.test", email_verified_at=None)
    api.post(URL, details(email="ada@example.test"))
    query = mailed_query("ada@example.test")
    answer = api.post("/api/users/password/reset/confirm/", query | {"password": "a password of her own"})
    assert answer.status_code == 204
    squatter.refresh_from_db()
    assert squatter.is_email_verified
    assert squatter.check_password("a password of her own")


def test_a_known_address_costs_a_password_hash_too(api, sandbox, monkeypatch):
    make_user(email="ada@example.test")
    hashed = []
    hasher = type(identify_hasher(make_user().password))
    encode = hasher.encode
    monkeypatch.setattr(hasher, "encode", lambda *args: hashed.append(1) or encode(*args))
    api.post(URL, details(email="ada@example.test"))
    known = len(hashed)
    api.post(URL, details(email="new@example.test", username="new"))
    assert (known, len(hashed)) == (1, 2)


@pytest.mark.parametrize("email", ["ada@example.test", "new@example.test"])
def test_a_taken_username_is_refused_whether_the_address_is_known_or_not(api, sandbox, email):
    make_user(email="ada@example.test", username="Ada")
    answer = api.post(URL, details(email=email))
    assert error(answer) == (400, "username_taken", "username")
    assert sandbox.messages() == []


@pytest.mark.parametrize("known", [True, False])
def test_asking_for_the_same_username_again_does_not_tell_whether_the_first_address_was_known(api, sandbox, known):
    if known:
        make_user(email="ada@example.test")
    api.post(URL, details(email="ada@example.test", username="probe"))
    assert error(api.post(URL, details(email="mine@example.test", username="Probe"))) == (
        400,
        "username_taken",
        "username",
    )


def test_a_closed_account_is_told_nothing_and_answers_the_same(api, sandbox):
    make_user(email="ada@example.test", is_active=False)
    assert api.post(URL, details()).status_code == 201
    assert sandbox.messages() == []


def test_two_people_cannot_have_addresses_that_differ_in_case(api, sandbox):
    api.post(URL, details(email="ada@example.test"))
    api.post(URL, details(email="ADA@example.test", username="other"))
    assert User.objects.count() == 1
    assert HeldUsername.objects.get().username == "other"


@pytest.mark.parametrize(
    ("overrides", "code", "attr"),
    [
        ({"email": "not an address"}, "invalid", "email"),
        ({"email": "ad\u212a@example.test"}, "invalid", "email"),
        ({"email": ""}, "blank", "email"),
        ({"email": ["ada@example.test"]}, "invalid", "email"),
        ({"username": "a b"}, "invalid", "username"),
        ({"username": "a" * 151}, "max_length", "username"),
        ({"password": "short"}, "password_too_short", "password"),
        ({"password": "lovelace-ada", "last_name": "lovelace-ada"}, "password_too_similar", "password"),
        ({"password": "x" * 257}, "max_length", "password"),
        ({"first_name": "Ada\r\nBcc: all"}, "not_printable", "first_name"),
        ({"email": "ada\x00@example.test"}, "null_characters_not_allowed", "email"),
    ],
)
def test_bad_input_is_refused_by_name(api, overrides, code, attr):
    status, *_ = (answer := api.post(URL, details(**overrides))).status_code, None
    assert status == 400
    assert (code, attr) in {(item["code"], item["attr"]) for item in answer.json()["errors"]}
    assert User.objects.count() == 0


@pytest.mark.parametrize("body", ["[]", '"x"', "null", "{", "17"])
def test_a_body_that_is_no_object_is_refused(api, body):
    assert api.post(URL, body, content_type="application/json").status_code == 400


def test_the_old_verification_link_dies_with_the_address(api):
    user = make_user(email_verified_at=None)
    token = verification_token(user)
    User.objects.update(email="other@example.test")
    assert error(api.post("/api/users/verify-email/", {"token": token})) == (400, "token_invalid", "token")
