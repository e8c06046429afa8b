import pytest
from django.contrib.auth.models import Group

from users.models import HeldUsername
from users.tests.answers import error
from users.tests.factories import auth_client, make_user

pytestmark = pytest.mark.django_db
URL = "/api/users/me/"


def test_i_see_who_i_am():
    user = make_user(first_name="Ada")
    body = auth_client(user).get(URL).json()
    assert body.pop("date_joined").endswith("Z")
    assert body == {
        "id": user.pk,
        "email": user.email,
        "username": user.username,
        "first_name": "Ada",
        "last_name": "",
        "email_verified": True,
        "is_instructor": False,
        "is_staff": False,
    }


def test_an_instructor_and_an_unverified_address_are_shown():
    user = make_user(email_verified_at=None)
    user.groups.add(Group.objects.get_or_create(name="Instructors")[0])
    body = auth_client(user).get(URL).json()
    assert (body["is_instructor"], body["email_verified"]) == (True, False)


def test_a_stranger_sees_nothing(api):
    assert error(api.get(URL)) == (401, "not_authenticated", None)


def test_i_change_my_names_and_username_and_nothing_else():
    user = make_user()
    body = {"first_name": "Ada", "username": "lovelace", "email": "x@example.test", "is_staff": True, "id": 9}
    answer = auth_client(user).patch(URL, body)
    assert (answer.status_code, answer.json()["first_name"], answer.json()["username"]) == (200, "Ada", "lovelace")
    before = user.email
    user.refresh_from_db()
    assert (user.username, user.email, user.is_staff) == ("lovelace", before, False)


def test_i_may_change_the_case_of_my_own_username():
    user = make_user(username="ada")
    assert auth_client(user).patch(URL, {"username": "Ada"}).json()["username"] == "Ada"


def test_a_username_of_somebody_else_is_refused_whatever_its_case():
    make_user(username="ada")
    assert error(auth_client(make_user()).patch(URL, {"username": "ADA"})) == (400, "username_taken", "username")


def test_a_held_username_is_for_its_holder_alone():
    user, other = make_user(), make_user()
    HeldUsername.objects.create(username="ada", user=user)
    assert error(auth_client(other).patch(URL, {"username": "Ada"})) == (400, "username_taken", "username")
    assert auth_client(user).patch(URL, {"username": "Ada"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [({"username": ""}, "blank"), ({"username": "a b"}, "invalid"), ({"last_name": "a\nb"}, "not_printable")],
)
def test_bad_values_are_refused(body, code):
    status, found, _ = error(auth_client(make_user()).patch(URL, body))
    assert (status, found) == (400, code)


def test_an_empty_change_changes_nothing():
    user = make_user()
    assert auth_client(user).patch(URL, {}).json()["username"] == user.username
