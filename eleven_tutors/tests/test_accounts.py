import pytest
from django.test import Client
from django.urls import reverse

from users.tests.factories import PASSWORD, make_user
from videos.models import PlaybackSession, SessionDoor, SessionState
from videos.services.playback import RequestContext, open_session
from videos.tests.factories import host_video


@pytest.fixture
def watching(db, sandbox) -> PlaybackSession:
    grant = open_session(
        user=make_user(username="watcher"),
        video=host_video(sandbox, access_level="members"),
        door=SessionDoor.PLAYBACK,
        device_id="laptop",
        context=RequestContext(),
    )
    return PlaybackSession.objects.get(public_id=grant.session.public_id)


def test_closing_an_account_in_the_admin_ends_what_is_being_watched(watching):
    boss = make_user(is_staff=True, is_superuser=True)
    admin = Client()
    assert admin.login(username=boss.email, password=PASSWORD)
    person = watching.viewer.user
    form = admin.get(reverse("admin:users_user_change", args=[person.pk])).context["adminform"].form
    values = {name: form.initial[name] for name in ("email", "username")} | {"is_active": ""}
    answer = admin.post(reverse("admin:users_user_change", args=[person.pk]), values)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    watching.refresh_from_db()
    assert (watching.state, watching.end_reason) == (SessionState.REVOKED, "account_closed")
    person.refresh_from_db()
    assert person.is_active is False


def test_renaming_an_account_ends_nothing(watching):
    boss = make_user(is_staff=True, is_superuser=True)
    admin = Client()
    assert admin.login(username=boss.email, password=PASSWORD)
    person = watching.viewer.user
    values = {"email": person.email, "username": "renamed", "is_active": "on"}
    assert admin.post(reverse("admin:users_user_change", args=[person.pk]), values).status_code == 302
    watching.refresh_from_db()
    assert watching.state == SessionState.ISSUED
