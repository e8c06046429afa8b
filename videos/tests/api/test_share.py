import pytest

from videos.tests.factories import make_user, make_video

pytestmark = pytest.mark.django_db


def share(client, video):
    return client.get(f"/api/videos/{video.pk}/share/")


@pytest.mark.parametrize(("level", "is_public"), [("public", True), ("unlisted", False)])
def test_a_video_for_everybody_has_an_address_to_pass_on(level, is_public, client_of, settings):
    settings.VIDEO_EMBED_URL = "/videos/embed/{id}"
    settings.VIDEO_PAGE_URL = "https://tutors.example.test/videos/{id}"
    video = make_video(access_level=level, title='"><script>alert(1)</script>')
    told = share(client_of(), video).json()
    assert told["url"] == f"https://tutors.example.test/videos/{video.pk}"
    assert told["is_public"] is is_public
    assert f'src="/videos/embed/{video.pk}"' in told["embed_html"]
    assert "<script>" not in told["embed_html"]


def test_other_videos_have_none(client_of):
    video = make_video(access_level="members")
    answer = share(client_of(make_user()), video)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "not_shareable")


def test_who_may_not_watch_hears_nothing_of_sharing(client_of):
    video = make_video(access_level="entitled")
    assert share(client_of(), video).status_code == 401
    answer = share(client_of(make_user()), video)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "not_entitled")


def test_an_unknown_video_is_not_found(client_of):
    assert client_of().get("/api/videos/00000000-0000-4000-8000-000000000000/share/").status_code == 404
