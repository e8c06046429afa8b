import pytest

from videos.hosted.models import Package, PackageState, Preset, Scheme, Step, StepState, Transcode, TranscodeState
from videos.hosted.services.operations.described import describe
from videos.hosted.tests.making import make_hosted_video
from videos.models import AssetStatus
from videos.providers import failures
from videos.providers.exceptions import Rejected
from videos.providers.registry import providers

pytestmark = pytest.mark.django_db


@pytest.fixture
def copy(hosted):
    return make_hosted_video(source_key="a/source", status=AssetStatus.READY)[0]


def test_another_transcode_takes_what_was_chosen_and_leaves_the_rest(copy):
    providers["hosted"].retranscode(copy.host_id, quality="high", protection="open")
    job = Transcode.objects.get()
    copy.refresh_from_db()
    assert (job.preset, copy.preset, copy.protection) == ("high", "high", "open")
    job.state = TranscodeState.COMPLETED
    job.save()
    providers["hosted"].retranscode(copy.host_id)
    assert Transcode.objects.first().preset == "high"
    Transcode.objects.update(state=TranscodeState.COMPLETED)
    providers["hosted"].retranscode(copy.host_id, quality="")
    assert Transcode.objects.first().preset == Preset.MEDIUM


def test_a_refused_one_changes_nothing(copy):
    Transcode.objects.create(video=copy)
    for change, code in (({}, "transcode_running"), ({"source_key": ""}, "source_gone")):
        type(copy).objects.filter(pk=copy.pk).update(**change or {"title": "x"})
        with pytest.raises(Rejected) as refusal:
            providers["hosted"].retranscode(copy.host_id, quality="high")
        assert refusal.value.code == code
    copy.refresh_from_db()
    assert copy.preset == Preset.MEDIUM


def test_a_job_is_told_in_words(copy):
    assert providers["hosted"].preparation(copy.host_id) is None
    job = Transcode.objects.create(video=copy)
    told = lambda: providers["hosted"].preparation(copy.host_id)  # noqa: E731
    assert (told().state, told().step, told().can_start_again) == ("pending", "Waiting", False)
    job.failure_code = failures.TOOLS_MISSING
    job.save()
    assert "lacks" in told().step
    job.state, job.failure_code, job.progress_percent = TranscodeState.PROCESSING, "", 42
    job.save()
    Step.objects.create(transcode=job, stage=1, kind="encode", state=StepState.RUNNING)
    assert (told().step, told().progress_percent) == ("Encoding", 42)
    job.state, job.failure_code = TranscodeState.FAILED, "unreadable"
    job.save()
    assert (told().step, told().failure_code, told().can_start_again) == ("", "unreadable", True)
    job.failure_code = failures.NOT_A_VIDEO
    job.save()
    assert not told().can_start_again


def test_what_plays_is_described_by_its_own_protection(copy):
    copy.package = Package.objects.create(video=copy, scheme=Scheme.OPEN, state=PackageState.PUBLISHED)
    copy.protection = "encrypted"
    copy.save()
    assert describe("hosted", copy.host_id).protection == "open"
