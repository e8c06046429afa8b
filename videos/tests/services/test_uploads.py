import json

import pytest
from django.db import IntegrityError, connection, transaction

from videos.models import Asset, AssetStatus, Video
from videos.services.errors import HostUnavailable, InvalidRequest, NotYours, VideoFailed
from videos.services.removal import delete_video
from videos.services.uploads import clean_filename, create_upload, note_sent, replace_file
from videos.tests.factories import host_video, make_user, make_video

pytestmark = pytest.mark.django_db
FILE = {"filename": "limits.mp4", "size_bytes": 1000, "content_type": "video/mp4"}


@pytest.fixture(autouse=True)
def _routes(sandbox, settings):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher", "cloudflare"]}]


@pytest.fixture
def owner():
    return make_user(is_staff=True)


def upload(owner, **values):
    return create_upload(owner=owner, title="Limits", **(FILE | values))


def test_a_host_that_gives_an_id_twice_loses_nothing_of_the_first_upload(sandbox, owner):
    _, first, _ = upload(owner)
    payload = {"videoId": first.host_id, "clientPayload": {"uploadLink": "https://bucket.example"}}
    sandbox.fault(service="vdocipher", path="/videos", times=1, status=200, body=json.dumps(payload))
    with pytest.raises(IntegrityError), transaction.atomic():
        upload(owner)
    assert [call["method"] for call in sandbox.calls("vdocipher")] == ["PUT", "PUT"]
    assert Asset.objects.get() == first


def titles_at_vdocipher(sandbox) -> list[str]:
    return [call["query"]["title"] for call in sandbox.calls("vdocipher") if call["method"] == "PUT"]


def test_an_upload_knows_its_file_its_owner_and_the_end_of_its_ticket(owner):
    video, asset, ticket = upload(
        owner, filename="C:\\films\\li\u202emits\x00.mp4", tags=["Calculus"], metadata={"a": 1}
    )
    assert asset.source_name == "limits.mp4"
    assert asset.upload_expires_at == ticket.expires_at
    assert (video.owner, video.metadata, list(video.tags.values_list("name", flat=True))) == (
        owner,
        {"a": 1},
        ["calculus"],
    )


def test_a_video_can_belong_to_an_object(owner):
    course = make_user()
    video, _, _ = upload(owner, subject=course)
    assert Video.objects.get(pk=video.pk).subject == course


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 503}, "host_unavailable"),
        ({"status": 401}, "host_credentials_rejected"),
        ({"status": 402}, "host_quota_exceeded"),
        ({"status": 400}, "host_rejected"),
        ({"status": 200, "body": "<html>"}, "host_malformed_response"),
    ],
)
def test_a_host_that_cannot_take_a_file_is_passed_over(sandbox, owner, fault, code):
    sandbox.fault(service="vdocipher", path="/videos", times=-1, **fault)
    _, asset, ticket = upload(owner)
    assert (asset.provider, ticket.kind) == ("cloudflare", "form_post")
    assert Asset.objects.get().passed_over == [{"provider": "vdocipher", "code": code}]


def test_a_file_too_large_for_one_host_goes_to_the_next(owner):
    _, asset, _ = upload(owner, size_bytes=6 * 1024**3)
    assert asset.provider == "cloudflare"
    assert asset.passed_over == [{"provider": "vdocipher", "code": "file_too_large"}]


def test_a_file_that_every_host_refuses_is_refused(owner):
    with pytest.raises(InvalidRequest) as refusal:
        upload(owner, size_bytes=2**45)
    assert (refusal.value.code, refusal.value.attr) == ("file_too_large", "size")


def test_a_refusal_beside_a_host_that_is_down_can_be_tried_again(sandbox, owner):
    sandbox.fault(service="cloudflare", times=-1, status=503)
    with pytest.raises(HostUnavailable):
        upload(owner, size_bytes=6 * 1024**3)


def test_the_wanted_protection_is_never_lowered(sandbox, owner, settings):
    sandbox.fault(service="vdocipher", path="/videos", times=-1, status=503)
    with pytest.raises(HostUnavailable):
        upload(owner, protection="drm")
    settings.VIDEO_ROUTES = [{"use": ["cloudflare"]}]
    with pytest.raises(InvalidRequest) as refusal:
        upload(owner, protection="drm")
    assert (refusal.value.code, refusal.value.attr) == ("protection_unavailable", "protection")
    with pytest.raises(InvalidRequest):
        upload(owner, protection="drm", provider_alias="cloudflare")
    assert sandbox.calls("cloudflare") == []


def test_a_stronger_host_may_take_what_needs_less(owner, settings):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher"]}]
    _, asset, _ = upload(owner, protection="open")
    assert asset.protection == "drm"


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({"protection": "drm"}, False),
        ({"access_level": ["public", "entitled"]}, True),
        ({"access_level": "public"}, False),
        ({"tags": ["exam", "week-1"]}, True),
        ({"tags": ["geometry"]}, False),
        ({"size": {"min": 1000, "max": 1000}}, True),
        ({"size": {"min": 1001}}, False),
        ({"size": {"max": 999}}, False),
        ({"tags": "week-1", "size": {"max": 999}}, False),
    ],
)
def test_the_first_rule_that_fits_decides(owner, settings, when, fits):
    settings.VIDEO_ROUTES = [{"when": when, "use": ["vdocipher"]}, {"use": ["cloudflare"]}]
    _, asset, _ = upload(owner, tags=["week-1"])
    assert asset.provider == ("vdocipher" if fits else "cloudflare")


def test_nothing_stays_at_the_host_when_the_video_cannot_be_written(sandbox, owner):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE videos_tag RENAME TO videos_tag_away")
    with pytest.raises(Exception, match="videos_tag"):
        upload(owner, tags=["calculus"])
    methods = [call["method"] for call in sandbox.calls("vdocipher")]
    assert methods == ["PUT", "DELETE"]


def test_a_replacement_waits_while_the_present_copy_plays(sandbox, owner):
    video = host_video(sandbox, owner=owner)
    asset, ticket = replace_file(video=video, actor=owner, **FILE)
    assert (asset.is_current, asset.is_next, asset.host_id) == (False, True, ticket.host_id)
    assert video.assets.get(is_current=True).status == AssetStatus.READY


def test_a_second_replacement_takes_the_place_of_the_first(sandbox, owner, django_capture_on_commit_callbacks):
    video = host_video(sandbox, owner=owner)
    first, _ = replace_file(video=video, actor=owner, **FILE)
    with django_capture_on_commit_callbacks(execute=True):
        second, _ = replace_file(video=video, actor=owner, **FILE)
    first.refresh_from_db()
    assert (first.status, first.is_next, second.is_next) == (AssetStatus.DELETED, False, True)
    assert [call["method"] for call in sandbox.calls("vdocipher")].count("DELETE") == 1


@pytest.mark.parametrize(
    ("status", "left"), [(AssetStatus.WAITING, AssetStatus.DELETED), (AssetStatus.FAILED, AssetStatus.FAILED)]
)
def test_a_copy_that_never_played_makes_way_at_once(owner, status, left):
    video = make_video(owner=owner, asset={"status": status})
    before = video.assets.get()
    asset, _ = replace_file(video=video, actor=owner, **FILE)
    before.refresh_from_db()
    assert (asset.is_current, asset.is_next, before.is_current, before.status) == (True, False, False, left)


def test_a_video_without_a_copy_gets_its_first(owner):
    asset, _ = replace_file(video=make_video(owner=owner, asset=False), actor=owner, **FILE)
    assert asset.is_current


def test_a_replacement_is_protected_as_well_as_what_plays(sandbox, owner, settings):
    settings.VIDEO_ROUTES = [{"use": ["cloudflare", "vdocipher"]}]
    video = host_video(sandbox, owner=owner)
    asset, _ = replace_file(video=video, actor=owner, **FILE)
    assert (asset.provider, asset.protection) == ("vdocipher", "drm")
    asset, _ = replace_file(video=video, actor=owner, provider_alias="cloudflare", **FILE)
    assert asset.protection == "open"


def test_a_replacement_needs_the_right_to_manage(sandbox, owner):
    with pytest.raises(NotYours):
        replace_file(video=make_video(owner=owner), actor=make_user(), **FILE)
    assert sandbox.calls("vdocipher") == []


def test_a_deleted_video_takes_no_file(sandbox, owner):
    video = host_video(sandbox, owner=owner)
    delete_video(video)
    with pytest.raises(VideoFailed):
        replace_file(video=video, actor=owner, **FILE)
    assert "PUT" not in [call["method"] for call in sandbox.calls("vdocipher")]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("a\r\nb.mp4", "ab.mp4"),
        ("", "video"),
        ("/", "video"),
        ("x" * 300, "x" * 255),
        ("вступление.mov", "вступление.mov"),
    ],
)
def test_a_file_name_is_one_name(given, kept):
    assert clean_filename(given) == kept


def test_a_host_without_hooks_is_asked_once_somebody_says_that_the_file_is_there(
    sandbox, django_capture_on_commit_callbacks
):
    video = host_video(sandbox, status="ready", asset={"status": AssetStatus.WAITING, "next_poll_at": None})
    with django_capture_on_commit_callbacks(execute=True):
        note_sent(video)
    assert video.assets.get().status == AssetStatus.READY
