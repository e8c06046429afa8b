import pytest

from mailing.models import OutgoingMail
from users.tests.factories import make_user
from videos.models import AssetStatus, Video
from videos.services.assets import refresh_asset
from videos.tests.factories import make_asset, make_video

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def teacher(sandbox):
    return make_user(username="ada", email="ada@example.test")


def prepared(sandbox, teacher, *, state, error_code="", title="Proofs & <tags>", **asset):
    """A video whose file the host has just finished with, and which was asked about since."""
    host_id = sandbox.cloudflare.add_video(state="inprogress")
    values = {"provider": "cloudflare", "host_id": host_id, "status": AssetStatus.PROCESSING} | asset
    video = make_video(title=title, owner=teacher, asset=values)
    sandbox.cloudflare.set_state(host_id, state, error_code=error_code, send_hook=False)
    refresh_asset(video.assets.get().pk)
    return video


def test_the_owner_reads_that_the_video_is_ready_and_where_it_is(sandbox, teacher, settings):
    video = prepared(sandbox, teacher, state="ready")
    (mail,) = sandbox.messages()
    assert mail["to"] == ["ada@example.test"]
    assert mail["subject"] == "Your video is ready: Proofs & <tags>"
    link = f"{settings.PUBLIC_URL}/admin/videos/video/{video.pk}/change/"
    assert link in mail["text"]
    assert f'href="{link}"' in mail["html"]
    assert "Proofs & <tags>" in mail["text"]
    assert "Proofs &amp; &lt;tags&gt;" in mail["html"]


def test_the_owner_reads_why_the_video_failed_in_words_that_help(sandbox, teacher):
    prepared(sandbox, teacher, state="error", error_code="ERR_NON_VIDEO", source_name="slides.pdf")
    (mail,) = sandbox.messages()
    for text in (mail["text"], mail["html"]):
        assert "The file is not a video. Export it as MP4 and upload it again." in text
        assert "slides.pdf" in text
        assert "still plays" not in text


def test_a_replacement_that_failed_says_that_the_former_copy_plays_on(sandbox, teacher):
    video = make_video(owner=teacher)
    host_id = sandbox.cloudflare.add_video(state="error")
    replacement = make_asset(
        video=video,
        provider="cloudflare",
        host_id=host_id,
        status=AssetStatus.PROCESSING,
        is_current=False,
        is_next=True,
    )
    refresh_asset(replacement.pk)
    (mail,) = sandbox.messages()
    assert "still plays" in mail["text"]


def test_one_mail_goes_out_per_copy_and_status_however_often_it_is_announced(sandbox, teacher):
    video = prepared(sandbox, teacher, state="ready")
    video.assets.update(announced_status="")
    refresh_asset(video.assets.get().pk)
    assert len(sandbox.messages()) == OutgoingMail.objects.count() == 1


def test_a_video_without_an_owner_tells_nobody(sandbox):
    prepared(sandbox, None, state="ready")
    assert not OutgoingMail.objects.exists()


def test_a_closed_account_gets_no_mail(sandbox, teacher):
    teacher.is_active = False
    teacher.save()
    prepared(sandbox, teacher, state="ready")
    assert sandbox.messages() == []
    assert Video.objects.count() == 1
