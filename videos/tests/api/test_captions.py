import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from videos.models import Caption
from videos.services import addresses
from videos.services.captions import put_caption
from videos.tests.factories import host_video, make_asset, make_user, make_video
from videos.tests.statements import counted_statements

pytestmark = pytest.mark.django_db

VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello <font>you</font>\n"


@pytest.fixture
def video(sandbox, viewer):
    host_id = sandbox.cloudflare.add_video()
    return make_video(owner=viewer, access_level="entitled", asset={"provider": "cloudflare", "host_id": host_id})


@pytest.fixture
def owner(client_of, viewer):
    return client_of(viewer)


def address(video, language="en"):
    return f"/api/videos/{video.pk}/captions/{language}/"


def put(client, video, language="en", body=VTT, content_type="text/vtt", query=""):
    return client.put(address(video, language) + query, body, content_type=content_type)


def code_of(answer):
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_captions_are_put_as_a_body_and_read_back_clean(owner, video):
    answer = put(owner, video, query="?label=English%20(UK)")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["language"], answer.json()["label"]) == ("en", "English (UK)")
    read = owner.get(address(video))
    assert read.content == b"WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHello you\n"
    assert read["Content-Type"] == "text/vtt; charset=utf-8"
    assert read["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in read


def test_captions_are_put_as_a_file_of_a_form(owner, video):
    form = {"file": SimpleUploadedFile("lesson.vtt", VTT, "text/vtt"), "label": "Deutsch"}
    answer = owner.put(address(video, "de"), form, format="multipart")
    assert answer.status_code == 200, answer.content
    assert Caption.objects.get().label == "Deutsch"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"WEBVTT\n\nno cue", "caption_invalid"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nHi", "caption_is_srt"),
    ],
)
def test_what_is_no_webvtt_is_refused_with_its_line(owner, video, body, code):
    answer = put(owner, video, body=body)
    assert code_of(answer) == (400, code)
    assert "Line " in answer.json()["errors"][0]["detail"]


def test_a_huge_form_is_refused_before_it_is_read(owner, video):
    form = {"file": SimpleUploadedFile("en.vtt", VTT)}
    answer = owner.put(address(video), form, format="multipart", CONTENT_LENGTH="10000000000")
    assert code_of(answer) == (400, "caption_too_large")


@pytest.mark.parametrize(("sent", "kept"), [("%00", "English"), ("a%00%1bb", "ab"), ("%20%0a%00 x", "x")])
def test_control_characters_are_left_out_of_a_label(owner, video, sent, kept):
    assert put(owner, video, query=f"?label={sent}").json()["label"] == kept


def test_a_file_over_the_limit_a_missing_file_and_a_wrong_language_are_refused(owner, video, settings):
    assert code_of(put(owner, video, language="not_one")) == (400, "language_invalid")
    assert code_of(put(owner, video, body=b"")) == (400, "required")
    assert code_of(owner.put(address(video), {"label": "x"}, format="multipart")) == (400, "required")
    assert put(owner, video, body=b"{}", content_type="application/json").status_code == 415
    settings.VIDEO_CAPTION_MAX_BYTES = len(VTT) - 1
    assert code_of(put(owner, video)) == (400, "caption_too_large")
    form = {"file": SimpleUploadedFile("lesson.vtt", VTT, "text/vtt")}
    assert code_of(owner.put(address(video), form, format="multipart")) == (400, "caption_too_large")


def test_captions_are_deleted_once(owner, video):
    put(owner, video)
    assert owner.delete(address(video)).status_code == 204
    assert owner.delete(address(video)).status_code == 404
    assert owner.get(address(video)).status_code == 404


def test_strangers_neither_write_nor_read(client_of, video, owner):
    put(owner, video)
    for client, status in ((client_of(), 401), (client_of(make_user()), 403)):
        assert put(client, video).status_code == status
        assert client.get(address(video)).status_code == status
        assert client.delete(address(video)).status_code == status
        assert client.get(f"/api/videos/{video.pk}/captions/").status_code == status


def test_whoever_may_watch_may_read(client_of, video, owner):
    put(owner, video)
    type(video).objects.update(access_level="members")
    assert client_of(make_user()).get(address(video)).status_code == 200


def test_the_list_names_the_languages_in_their_order_at_a_constant_cost(owner, video):
    for language in ("fr", "de"):
        put(owner, video, language)
    with counted_statements() as few:
        answer = owner.get(f"/api/videos/{video.pk}/captions/").json()
    assert [row["language"] for row in answer["results"]] == ["de", "fr"]
    assert answer["results"][0]["needs_check"] is False
    for language in ("es", "it", "nl"):
        put(owner, video, language)
    with counted_statements() as many:
        owner.get(f"/api/videos/{video.pk}/captions/")
    assert len(few) == len(many)


def test_the_list_tells_how_far_the_host_is(owner, video, sandbox, settings, django_capture_on_commit_callbacks):
    def told(language, wanted=video):
        with django_capture_on_commit_callbacks(execute=True):
            put(owner, wanted, language)
        rows = owner.get(f"/api/videos/{wanted.pk}/captions/").json()["results"]
        return next((row["at_host"], row["at_host_error"]) for row in rows if row["language"] == language)

    assert put(owner, video).json()["at_host"] == "due"
    assert told("de") == ("done", "")
    sandbox.cloudflare.set_state(video.assets.get().host_id, "inprogress", send_hook=False)
    assert told("fr") == ("due", "not_ready")
    assert told("fil", host_video(sandbox, owner=video.owner)) == ("failed", "caption_refused")
    settings.VIDEO_PROVIDERS["local"] = {"BACKEND": "videos.tests.local_host.LocalHost"}
    assert told("es", make_video(owner=video.owner, asset={"provider": "local"})) == (None, "")


def test_only_the_host_of_the_current_copy_counts(owner, video, sandbox):
    put(owner, video)
    asset = video.assets.get()
    type(asset).objects.update(is_current=False)
    make_asset(video=video, provider="cloudflare", host_id=sandbox.cloudflare.add_video(), is_current=True)
    assert owner.get(f"/api/videos/{video.pk}/captions/").json()["results"][0]["at_host"] is None


def test_a_grant_carries_signed_addresses_that_any_page_can_load(client_of, video, owner, settings):
    settings.VIDEO_PROVIDERS["local"] = {"BACKEND": "videos.tests.local_host.LocalHost"}
    put(owner, video)
    put(owner, video, "pt-BR")
    grant = owner.post(f"/api/videos/{video.pk}/playback/", {"device_id": "a-device-1"}).json()
    assert [(track["language"], track["label"]) for track in grant["captions"]] == [
        ("en", "English"),
        ("pt-BR", "Português Brasileiro"),
    ]
    for track in grant["captions"]:
        answer = client_of().get(track["url"], headers={"Accept": "text/vtt", "Origin": "https://elsewhere.test"})
        assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, "*")


def test_captions_cost_a_grant_no_statement(client_of, viewer, owner, settings):
    settings.VIDEO_PROVIDERS = {"local": {"BACKEND": "videos.tests.local_host.LocalHost"}}
    counts = []
    for languages in ((), ("en", "de", "fr")):
        video = make_video(owner=viewer, asset={"provider": "local"})
        for language in languages:
            put_caption(video=video, language=language, label="", body=VTT)
        with counted_statements() as statements:
            answer = owner.post(f"/api/videos/{video.pk}/playback/", {"device_id": "a-device-1"})
        assert len(answer.json()["captions"]) == len(languages)
        counts.append(len(statements))
    assert counts[1] <= counts[0]


def test_an_address_of_one_language_opens_no_other_and_ends(client_of, owner, video, monkeypatch):
    put(owner, video)
    put(owner, video, "de")
    url = addresses.caption_url(video.pk, "en")
    nobody = client_of()
    assert nobody.get(url).status_code == 200
    assert code_of(nobody.get(url.replace("/en/", "/de/"))) == (403, "signature_invalid")
    assert code_of(nobody.get(url[:-1] + ("A" if url[-1] != "A" else "B"))) == (403, "signature_invalid")
    for forged in ("", "x", ".", "zz.abc", "ffffffffffffffffffff.abc", "%00", "é"):
        assert code_of(nobody.get(f"{address(video)}?signature={forged}")) == (403, "signature_invalid")
    assert code_of(owner.get(f"{address(video)}?signature=x")) == (403, "signature_invalid")
    now = timezone.now().timestamp()
    monkeypatch.setattr("time.time", lambda: now + 3590)
    assert nobody.get(url).status_code == 200
    monkeypatch.setattr("time.time", lambda: now + 5410)
    assert code_of(nobody.get(url)) == (403, "signature_invalid")


def test_an_address_stays_the_same_within_half_an_hour(video, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.0)
    first = addresses.caption_url(video.pk, "en")
    monkeypatch.setattr("time.time", lambda: 1_800_001_799.0)
    assert addresses.caption_url(video.pk, "en") == first
    monkeypatch.setattr("time.time", lambda: 1_800_001_800.0)
    assert addresses.caption_url(video.pk, "en") != first


def test_unchanged_captions_are_not_sent_again(owner, video):
    put(owner, video)
    etag = owner.get(address(video))["ETag"]
    assert owner.get(address(video), headers={"If-None-Match": etag}).status_code == 304
    put(owner, video, body=VTT.replace(b"Hello", b"Bye"))
    assert owner.get(address(video), headers={"If-None-Match": etag}).status_code == 200
