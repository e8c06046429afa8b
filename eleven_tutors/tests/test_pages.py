import re
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.urls import resolve

from eleven_tutors.pages import content_security_policy, player_origins
from videos.hosted.tests.conftest import hosted_entry

ADDRESSES = [
    "/courses/introduction-to-proofs",
    "/lessons/what-is-a-proof",
    "/login",
    "/register",
    "/verify-email",
    "/forgot-password",
    "/reset-password",
    "/dashboard",
    "/dashboard/payment-success",
    "/dashboard/payment-cancel",
]


@pytest.mark.parametrize("address", ["/", *ADDRESSES, *(f"{address}/" for address in ADDRESSES)])
def test_a_page_answers_without_asking_the_database(client, address):
    response = client.get(address)

    assert response.status_code == 200
    assert b"<main" in response.content


@pytest.mark.parametrize("address", ["/", *ADDRESSES])
def test_a_page_runs_nothing_inline_and_nothing_from_elsewhere(client, address):
    response = client.get(address)
    page = response.content.decode()

    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"\s(style|on[a-z]+)=", page)
    assert not re.search(r"""(?:src|href)="(?:https?:)?//""", page)
    assert "'unsafe-inline'" not in response["Content-Security-Policy"]


def test_only_the_lesson_page_lets_the_video_host_in(client, settings):
    options = {"api_secret": "secret", "player_url": "https://player.example/v2/"}
    backend = "videos.providers.vdocipher.VdoCipherProvider"
    settings.VIDEO_PROVIDERS = {"a": {"BACKEND": backend, "OPTIONS": options}, "b": {}}

    assert player_origins() == ["https://player.example"]
    lesson = client.get("/lessons/welcome")["Content-Security-Policy"]
    assert "frame-src https://player.example;" in lesson
    assert "script-src 'self' https://player.example;" in lesson
    assert client.get("/login")["Content-Security-Policy"] == content_security_policy(plays_video=False)
    assert "player.example" not in client.get("/login")["Content-Security-Policy"]


def test_a_bucket_of_films_may_be_loaded_from_and_runs_no_script(settings, tmp_path):
    store = {"bucket": "films", "region": "auto", "endpoint_url": "https://r2.example", "addressing_style": "path"}
    keys = {"access_key": "an-id", "secret_key": "a-secret"}
    delivery = {"BACKEND": "videos.hosted.deliveries.presigned.PresignedDelivery"}
    bucket = {"BACKEND": "videos.hosted.stores.bucket.BucketStore", "OPTIONS": store | keys}
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(tmp_path, store=bucket, delivery=delivery)}

    policy = dict(part.split(" ", 1) for part in content_security_policy(plays_video=True).split("; "))
    allowing = {name for name, sources in policy.items() if "https://r2.example" in sources.split()}
    assert allowing == {"connect-src", "img-src", "media-src"}


def test_a_host_that_is_set_up_wrongly_breaks_no_page(client, settings, tmp_path, caplog):
    store = {"BACKEND": "videos.hosted.stores.nowhere.Store"}
    settings.VIDEO_PROVIDERS = {"hosted": hosted_entry(tmp_path, store=store)}
    assert client.get("/lessons/welcome").status_code == 200
    assert "nowhere" in caplog.text


def test_a_slug_is_never_markup(client):
    assert client.get("/courses/%22%3E%3Cscript%3E").status_code == 404


def test_an_unknown_address_has_a_page_of_its_own(client):
    response = client.get("/nothing-here")

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_the_demo_inbox_is_linked_only_while_mail_goes_to_the_sandbox(client, settings):
    settings.SANDBOX_URL, settings.EMAIL_HOST = "http://127.0.0.1:8001", "127.0.0.1"
    assert 'content="http://127.0.0.1:8001/mail"' in client.get("/register").content.decode()

    settings.EMAIL_HOST = "smtp.example.com"
    assert "8001" not in client.get("/register").content.decode()


def test_pages_take_no_posts(client):
    assert client.post("/login").status_code == 405


def test_pages_that_name_no_icon_get_the_site_s(client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer["Location"]) == (302, static("pages/icon.svg"))
    assert finders.find("pages/icon.svg")


@pytest.mark.parametrize("address", ["/videos/embed/{}", "/videos/{}/embed"])
def test_the_bare_player_is_framed_by_whom_the_settings_name_and_plays_what_is_put_together(client, settings, address):
    settings.VIDEO_EMBED_ANCESTORS = ["https://blog.example"]
    response = client.get(address.format("6a1ef0a2-0000-4000-8000-000000000000"))

    policy = dict(part.split(" ", 1) for part in response["Content-Security-Policy"].split("; "))
    assert policy["frame-ancestors"] == "https://blog.example"
    assert "X-Frame-Options" not in response
    assert "blob:" in policy["media-src"]
    assert "blob:" not in client.get("/").headers["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]


def test_shared_videos_name_the_bare_player(settings):
    address = settings.VIDEO_EMBED_URL.format(id="6a1ef0a2-0000-4000-8000-000000000000")
    assert address == f"{settings.FRONTEND_URL}/videos/embed/6a1ef0a2-0000-4000-8000-000000000000"
    assert resolve(urlsplit(address).path).url_name == "page-video-embed"
