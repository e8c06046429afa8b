import pytest
import requests

from videos.models import AssetStatus
from videos.services import addresses
from videos.tests.factories import host_video, make_user, make_video
from videos.tests.statements import counted_statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def video(sandbox, viewer):
    host_id = sandbox.cloudflare.add_video(duration=60)
    asset = {"provider": "cloudflare", "host_id": host_id, "duration_s": 60.0}
    return make_video(owner=viewer, access_level="entitled", asset=asset)


@pytest.fixture
def owner(client_of, viewer):
    return client_of(viewer)


def address(video, query=""):
    return f"/api/videos/{video.pk}/thumbnail/{query}"


def code_of(answer):
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_a_picture_at_a_second_is_the_hosts_own(owner, video):
    answer = owner.get(address(video, "?second=12&width=320&height=180"))
    assert (answer.status_code, answer["Cache-Control"]) == (302, "private, max-age=600")
    assert "time=12s" in answer["Location"]
    assert "width=320&height=180" in answer["Location"]
    picture = requests.get(answer["Location"], timeout=10)
    assert picture.status_code == 200
    assert picture.headers["Content-Type"].startswith("image/")


def test_without_a_second_it_is_the_poster_and_past_the_end_the_last_picture(owner, video):
    assert "time=6s" in owner.get(address(video))["Location"]
    assert "time=59s" in owner.get(address(video, "?second=5000"))["Location"]


@pytest.mark.parametrize("query", ["?second=-1", "?second=x", "?second=nan", "?width=15", "?width=1921", "?height=0"])
def test_wrong_values_are_refused(owner, video, query):
    assert owner.get(address(video, query)).status_code == 400


def test_a_signed_address_opens_its_own_picture_alone(client_of, video):
    nobody = client_of()
    assert nobody.get(address(video)).status_code == 401
    poster = addresses.thumbnail_url(video.pk)
    assert nobody.get(poster).status_code == 302
    cut = addresses.thumbnail_url(video.pk, second=3.5, width=160)
    assert nobody.get(cut).status_code == 302
    for forged in (f"{poster}&second=9", cut.replace("second=3.5", "second=4.5"), cut.replace("&width=160", "")):
        assert code_of(nobody.get(forged)) == (403, "signature_invalid")
    other = make_video()
    assert code_of(nobody.get(poster.replace(str(video.pk), str(other.pk)))) == (403, "signature_invalid")


def test_who_may_not_watch_sees_no_picture(client_of, video):
    assert code_of(client_of(make_user()).get(address(video))) == (403, "not_entitled")
    type(video).objects.update(access_level="public")
    assert client_of().get(address(video)).status_code == 302


def test_a_host_that_cuts_no_pictures_has_its_poster_alone(sandbox, owner, viewer):
    poster = "https://example.test/poster.jpg"
    video = host_video(sandbox, owner=viewer, asset={"poster_url": poster})
    assert owner.get(address(video))["Location"] == poster
    assert code_of(owner.get(address(video, "?second=1"))) == (404, "thumbnails_unsupported")
    type(video.assets.get()).objects.update(poster_url="")
    assert code_of(owner.get(address(video))) == (404, "no_thumbnail")


@pytest.mark.parametrize("status", [AssetStatus.PROCESSING, AssetStatus.FAILED, AssetStatus.DELETED])
def test_a_copy_that_cannot_be_played_has_no_picture(owner, video, status):
    video.assets.update(status=status)
    assert code_of(owner.get(address(video))) == (404, "no_thumbnail")


def test_posters_of_grants_and_lists_load_without_headers(client_of, owner, video, sandbox, viewer):
    grant = owner.post(f"/api/videos/{video.pk}/playback/", {"device_id": "a-device-1"}).json()
    listed = owner.get("/api/videos/").json()["results"][0]
    for url in (grant["poster_url"], listed["poster_url"]):
        assert client_of().get(url).status_code == 302
    poster = "https://example.test/poster.jpg"
    other = host_video(sandbox, owner=viewer, asset={"poster_url": poster})
    assert owner.get(f"/api/videos/{other.pk}/").json()["poster_url"] == poster


def test_a_signed_picture_costs_one_statement(client_of, video):
    url = addresses.thumbnail_url(video.pk)
    with counted_statements() as statements:
        assert client_of().get(url).status_code == 302
    assert len(statements) == 1
