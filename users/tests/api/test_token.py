from datetime import timedelta

import pytest
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from users.models import User
from users.services import end_refresh_tokens
from users.tests.answers import error
from users.tests.factories import PASSWORD, auth_client, make_user

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "/api/users/token/"
REFRESH = "/api/users/token/refresh/"
BLACKLIST = "/api/users/token/blacklist/"
ME = "/api/users/me/"


@pytest.fixture
def ada() -> User:
    return make_user(email="Ada@example.test")


@pytest.fixture
def pair(api, ada) -> dict:
    return api.post(TOKEN, {"email": "Ada@example.test", "password": PASSWORD}).json()


def test_logging_in_gives_a_pair_whose_access_token_opens_the_api(api, pair):
    assert set(pair) == {"access", "refresh"}
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    assert api.get(ME).json()["email"] == "Ada@example.test"


def test_the_case_of_the_address_does_not_matter(api, ada):
    assert api.post(TOKEN, {"email": "aDA@EXAMPLE.test", "password": PASSWORD}).status_code == 200


def test_an_unverified_account_may_log_in(api):
    user = make_user(email_verified_at=None)
    assert api.post(TOKEN, {"email": user.email, "password": PASSWORD}).status_code == 200


def test_every_refused_log_in_reads_the_same(api, ada):
    make_user(email="closed@example.test", is_active=False)
    answers = [
        api.post(TOKEN, {"email": email, "password": password})
        for email, password in [
            ("ada@example.test", "wrong"),
            ("nobody@example.test", PASSWORD),
            ("closed@example.test", PASSWORD),
            ("not an address", PASSWORD),
        ]
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert error(answers[0]) == (401, "no_active_account", None)
    assert answers[0].headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(("missing", "attr"), [("email", "email"), ("password", "password")])
def test_both_fields_are_needed(api, missing, attr):
    body = {"email": "ada@example.test", "password": PASSWORD}
    del body[missing]
    assert error(api.post(TOKEN, body)) == (400, "required", attr)


def test_a_refresh_token_works_once(api, pair):
    fresh = api.post(REFRESH, {"refresh": pair["refresh"]})
    assert fresh.status_code == 200
    assert fresh.json()["refresh"] != pair["refresh"]
    assert error(api.post(REFRESH, {"refresh": pair["refresh"]})) == (401, "token_not_valid", None)
    assert api.post(REFRESH, {"refresh": fresh.json()["refresh"]}).status_code == 200


def test_an_access_token_refreshes_nothing(api, pair):
    assert error(api.post(REFRESH, {"refresh": pair["access"]})) == (401, "token_not_valid", None)


def test_forged_and_expired_refresh_tokens_are_refused(api, ada, pair):
    expired = RefreshToken.for_user(ada)
    expired.set_exp(lifetime=-timedelta(seconds=1))
    head, claims, _ = pair["refresh"].split(".")
    for token in (str(expired), f"{head}.{claims}.AAAA", "nonsense"):
        assert error(api.post(REFRESH, {"refresh": token})) == (401, "token_not_valid", None)


def test_a_closed_account_cannot_go_on(api, ada, pair):
    User.objects.update(is_active=False)
    assert error(api.post(REFRESH, {"refresh": pair["refresh"]})) == (401, "token_not_valid", None)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
    assert api.get(ME).status_code == 401


def test_a_deleted_account_cannot_go_on(api, ada, pair):
    ada.delete()
    assert error(api.post(REFRESH, {"refresh": pair["refresh"]})) == (401, "token_not_valid", None)


def test_logging_out_ends_the_refresh_token(api, pair):
    assert api.post(BLACKLIST, {"refresh": pair["refresh"]}).status_code == 204
    assert error(api.post(REFRESH, {"refresh": pair["refresh"]})) == (401, "token_not_valid", None)
    assert error(api.post(BLACKLIST, {"refresh": pair["refresh"]})) == (401, "token_not_valid", None)


def test_all_log_ins_of_one_person_can_be_ended(api, ada, pair):
    other = make_user()
    others = api.post(TOKEN, {"email": other.email, "password": PASSWORD}).json()
    api.post(TOKEN, {"email": ada.email, "password": PASSWORD})
    assert end_refresh_tokens(ada) == 2
    assert end_refresh_tokens(ada) == 0
    assert api.post(REFRESH, {"refresh": pair["refresh"]}).status_code == 401
    assert api.post(REFRESH, {"refresh": others["refresh"]}).status_code == 200


def test_a_refused_bearer_token_reads_as_one_error(api):
    api.credentials(HTTP_AUTHORIZATION="Bearer stale")
    answer = api.get(ME)
    assert error(answer) == (401, "token_not_valid", None)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_rotated_token_is_known_to_the_list_that_ends_log_ins(api, ada, pair):
    api.post(REFRESH, {"refresh": pair["refresh"]})
    assert OutstandingToken.objects.filter(user=ada, blacklistedtoken=None).count() == 1


def test_a_real_bearer_token_of_the_factory_is_accepted(ada):
    assert auth_client(ada).get(ME).status_code == 200
