import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from videos.models import AssetStatus, PlaybackSession, SessionDoor, Video
from videos.services.playback import RequestContext, open_session
from videos.tests.factories import host_video, make_user, make_video

pytestmark = pytest.mark.django_db

LIST = "/admin/videos/video/"


@pytest.fixture(autouse=True)
def _owners_manage(settings):
    settings.VIDEO_MANAGED_POLICY = "videos.tests.rights.owned"


def log_in(client, *, is_superuser=False, permissions=("view_video", "add_video", "change_video")):
    user = make_user(is_staff=True, is_superuser=is_superuser)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


def form(video=None, **changes):
    inline = {"assets-TOTAL_FORMS": 0, "assets-INITIAL_FORMS": 0}
    values = {"title": "Limits", "access_level": "entitled", "required_tier": "", "protection": "", "owner": ""}
    return values | inline | changes


def test_people_see_their_own_videos_and_staff_who_manage_all_see_all(client, db):
    mine, theirs = make_video(title="Mine", owner=log_in(client)), make_video(title="Theirs")
    page = client.get(LIST).content.decode()
    assert mine.title in page
    assert theirs.title not in page
    assert client.get(reverse("admin:videos_video_change", args=[theirs.pk])).status_code == 302
    log_in(client, is_superuser=True)
    assert theirs.title in client.get(LIST).content.decode()


def test_viewings_are_shown_to_who_manages_the_video_and_their_addresses_to_who_manages_all(client, sandbox):
    owner = log_in(client, permissions=["view_playbacksession"])
    for video, ip in (
        (host_video(sandbox, owner=owner, title="Mine to see"), "203.0.113.1"),
        (host_video(sandbox), "203.0.113.2"),
    ):
        context = RequestContext(ip=ip, user_agent="Browser of a viewer")
        open_session(user=make_user(), video=video, door=SessionDoor.PLAYBACK, device_id="device", context=context)
    mine, theirs = PlaybackSession.objects.order_by("pk")
    page = client.get("/admin/videos/playbacksession/").content.decode()
    detail = client.get(reverse("admin:videos_playbacksession_change", args=[mine.pk])).content.decode()
    assert mine.video.title in page
    assert not any(text in page + detail for text in ("203.0.113.", "Browser of a viewer"))
    assert mine.video.title not in client.get("/admin/videos/playbacksession/?q=203.0.113.1").content.decode()
    assert client.get(reverse("admin:videos_playbacksession_change", args=[theirs.pk])).status_code == 302
    log_in(client, permissions=["view_playbacksession", "manage_all_videos"])
    assert "203.0.113.2" in client.get("/admin/videos/playbacksession/").content.decode()
    detail = client.get(reverse("admin:videos_playbacksession_change", args=[theirs.pk])).content.decode()
    assert "Browser of a viewer" in detail


def test_an_id_pasted_into_the_form_becomes_the_current_asset(client, sandbox):
    owner = log_in(client)
    host_id = sandbox.add_video()
    response = client.post(reverse("admin:videos_video_add"), form(video_service_id=host_id))
    assert response.status_code == 302, response.content
    video = Video.objects.get()
    assert (video.owner, video.assets.get().host_id) == (owner, host_id)
    page = client.get(reverse("admin:videos_video_change", args=[video.pk])).content.decode()
    assert host_id in page


def test_an_id_that_cannot_be_taken_is_an_error_of_the_form(client, sandbox, settings):
    settings.VIDEO_MANAGE_POLICY = "videos.tests.rights.owns"
    user = log_in(client)
    theirs, mine = host_video(sandbox, owner=make_user()), host_video(sandbox, owner=user, title="Mine")
    for host_id, reason in [
        (theirs.assets.get().host_id, "belongs to somebody else"),
        (mine.assets.get().host_id, "“Mine” has this id"),
        ("no id at all", "This is no id"),
    ]:
        page = client.post(reverse("admin:videos_video_add"), form(video_service_id=host_id))
        assert reason in page.content.decode()
    assert Video.objects.count() == 2


def test_changing_only_the_title_asks_no_host(client, sandbox, django_capture_on_commit_callbacks):
    video = host_video(sandbox, owner=log_in(client))
    with django_capture_on_commit_callbacks() as asked:
        changes = form(title="New", video_service_id=video.assets.get().host_id)
        assert client.post(reverse("admin:videos_video_change", args=[video.pk]), changes).status_code == 302
    video.refresh_from_db()
    assert (video.title, asked) == ("New", [])


def test_the_host_can_be_asked_again(client, sandbox, django_capture_on_commit_callbacks):
    video = host_video(sandbox, asset={"status": AssetStatus.FAILED}, owner=log_in(client))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(LIST, {"action": "ask_the_host_again", "_selected_action": [str(video.pk)]})
    assert video.assets.get().status == AssetStatus.READY


def test_videos_can_be_deleted_here_and_at_the_host(client, sandbox):
    video = host_video(sandbox, owner=log_in(client))
    client.post(LIST, {"action": "delete_here_and_at_the_host", "_selected_action": [str(video.pk)]})
    assert video.assets.get().status == AssetStatus.DELETED


@pytest.mark.parametrize("model", ["video", "playbacksession"])
def test_the_pages_open_for_a_superuser(client, sandbox, model):
    user = log_in(client, is_superuser=True)
    video = host_video(sandbox)
    open_session(user=user, video=video, door=SessionDoor.PLAYBACK, device_id="device", context=RequestContext())
    row = video if model == "video" else PlaybackSession.objects.get()
    assert client.get(reverse(f"admin:videos_{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:videos_{model}_change", args=[row.pk])).status_code == 200
