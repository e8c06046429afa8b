import pytest
from django.core import signing

from users.models import User
from users.services import verification_token
from users.tests.answers import error
from users.tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/users/verify-email/"
RESEND = "/api/users/verify-email/resend/"


@pytest.fixture
def newcomer() -> User:
    return make_user(email="ada@example.test", email_verified_at=None)


def test_a_link_verifies_the_address_once(api, newcomer):
    token = verification_token(newcomer)
    assert api.post(URL, {"token": token}).json() == {"email": "ada@example.test"}
    newcomer.refresh_from_db()
    verified_at = newcomer.email_verified_at
    assert verified_at is not None
    assert error(api.post(URL, {"token": token})) == (400, "token_used", "token")
    newcomer.refresh_from_db()
    assert newcomer.email_verified_at == verified_at


def test_a_link_ends(api, newcomer, settings):
    token = verification_token(newcomer)
    settings.EMAIL_VERIFICATION_MAX_AGE_S = -1
    assert error(api.post(URL, {"token": token})) == (400, "token_expired", "token")
    newcomer.refresh_from_db()
    assert newcomer.email_verified_at is None


def test_a_forged_link_does_nothing(api, newcomer):
    other = make_user(email_verified_at=None)
    claims, rest = verification_token(newcomer).split(":", 1)
    foreign_claims = verification_token(other).split(":", 1)[0]
    for token in (
        "nonsense",
        f"{foreign_claims}:{rest}",
        f"{claims}:{rest}x",
        signing.dumps({"user": newcomer.pk, "address": "x"}),
        signing.dumps({"user": newcomer.pk, "address": "x"}, salt="users.verify-email"),
    ):
        assert error(api.post(URL, {"token": token})) == (400, "token_invalid", "token")
    assert not User.objects.exclude(email_verified_at=None).exists()


def test_the_link_of_a_closed_account_does_nothing(api, newcomer):
    token = verification_token(newcomer)
    User.objects.update(is_active=False)
    assert error(api.post(URL, {"token": token})) == (400, "token_invalid", "token")


def test_opening_the_address_with_get_verifies_nothing(api, newcomer):
    assert api.get(URL, {"token": verification_token(newcomer)}).status_code == 405


def test_a_token_is_needed(api):
    assert error(api.post(URL, {})) == (400, "required", "token")


def test_a_stale_bearer_token_is_not_looked_at(api, newcomer):
    api.credentials(HTTP_AUTHORIZATION="Bearer stale")
    assert api.post(URL, {"token": verification_token(newcomer)}).status_code == 200


def test_a_fresh_link_is_mailed_on_request_and_works_beside_the_first(api, newcomer, mailed_query):
    first = verification_token(newcomer)
    answer = api.post(RESEND, {"email": "ADA@example.test"})
    assert (answer.status_code, answer.content) == (202, b"")
    assert api.post(URL, mailed_query("ada@example.test")).status_code == 200
    assert error(api.post(URL, {"token": first})) == (400, "token_used", "token")


@pytest.mark.parametrize("email", ["nobody@example.test", "verified@example.test", "closed@example.test"])
def test_a_request_that_leads_to_no_mail_answers_the_same(api, sandbox, email):
    make_user(email="verified@example.test")
    make_user(email="closed@example.test", email_verified_at=None, is_active=False)
    answer = api.post(RESEND, {"email": email})
    assert (answer.status_code, answer.content) == (202, b"")
    assert sandbox.messages() == []


def test_the_request_needs_an_address(api):
    assert error(api.post(RESEND, {"email": "ada"})) == (400, "invalid", "email")
