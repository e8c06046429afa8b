import pytest

from videos.models import Video
from videos.tests.factories import make_user


@pytest.fixture
def staff(db):
    return make_user(is_staff=True)


def create(client, **values):
    return client.post(
        "/api/videos/", {"title": "From elsewhere", "source_url": "https://1.1.1.1/a/b.mp4?c=d"} | values
    )


@pytest.mark.parametrize("alias", ["vdocipher", "cloudflare"])
def test_a_host_fetches_a_file_by_itself(sandbox, settings, staff, client_of, alias):
    settings.VIDEO_ROUTES = [{"use": [alias]}]
    response = create(client_of(staff), tags=["kept"])
    assert response.status_code == 201, response.json()
    assert response.json()["upload"] == {"kind": "none"}
    asset = Video.objects.get().assets.get()
    assert (asset.provider, asset.status, asset.source_name) == (alias, "processing", "b.mp4")
    assert asset.upload_expires_at is None
    assert response.json()["video"]["tags"] == ["kept"]


def test_an_import_falls_back_to_the_next_host(sandbox, settings, staff, client_of):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher", "cloudflare"]}]
    sandbox.fault(service="vdocipher", path="/videos/importUrl", times=-1, status=503)
    response = create(client_of(staff))
    assert response.json()["video"]["provider"] == "cloudflare"
    assert response.json()["passed_over"] == [{"provider": "vdocipher", "code": "host_unavailable"}]


def test_a_private_address_reaches_no_host(sandbox, staff, client_of):
    response = create(client_of(staff), source_url="http://169.254.169.254/latest/")
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "source_url_private"
    assert sandbox.calls() == []
    assert not Video.objects.exists()
