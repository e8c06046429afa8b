import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from videos.hosted.models import Package, PackageState, Scheme, Step, StepState, Transcode, TranscodeState
from videos.hosted.tests.making import make_hosted_video
from videos.models import AssetStatus
from videos.tests.factories import make_user

pytestmark = pytest.mark.django_db
ALL = "/api/videos/transcodes/"


@pytest.fixture
def client():
    return APIClient()


@pytest.fixture
def staff(client, settings):
    settings.VIDEO_STAFF_POLICY = "videos.access.is_staff"
    settings.VIDEO_MANAGE_POLICY = "videos.tests.rights.owns"
    user = make_user(is_staff=True, is_superuser=True)
    client.force_authenticate(user)
    return user


def make_job(hosted_video, **values):
    job = Transcode.objects.create(video=hosted_video, **{"state": TranscodeState.PROCESSING} | values)
    Step.objects.create(transcode=job, stage=1, kind="package", state=StepState.RUNNING)
    return job


def of(video):
    return reverse("videos_hosted:video-transcodes", args=[video.pk])


def test_a_manager_sees_the_jobs_of_a_video_and_what_they_made(client, hosted, staff):
    copy, video = make_hosted_video(owner=staff)
    failed = make_job(copy, state=TranscodeState.FAILED, failure_code="unreadable", failure_detail="moov atom missing")
    done = make_job(copy, state=TranscodeState.COMPLETED, progress_percent=100)
    Package.objects.create(
        video=copy,
        transcode=done,
        scheme=Scheme.OPEN,
        state=PackageState.PUBLISHED,
        published_at=done.created_at,
        renditions=[{"name": "v720", "height": 720, "width": 1280, "bandwidth": 9, "codecs": "avc1"}, {"name": "a"}],
    )
    running = make_job(copy, progress_percent=70)
    make_job(make_hosted_video()[0])
    rows = client.get(of(video)).json()["results"]
    assert [row["id"] for row in rows] == [str(job.public_id) for job in (running, done, failed)]
    assert (rows[0]["state"], rows[0]["step"], rows[0]["progress_percent"]) == ("processing", "Packaging", 70)
    assert [(row["name"], row["height"]) for row in rows[1]["renditions"]] == [("v720", 720), ("a", None)]
    assert rows[2]["failure_code"] == "unreadable"
    assert "Export it again" in rows[2]["failure_reason"]
    assert "moov" not in client.get(of(video)).content.decode()


def test_a_job_is_started_once_and_not_without_the_original(client, hosted, staff):
    copy, video = make_hosted_video(owner=staff, status=AssetStatus.READY, source_key="a/source")
    started = client.post(of(video), {"quality": "low"}, format="json")
    assert started.status_code == 202, started.content
    assert (started.json()["state"], started.json()["quality"]) == ("pending", "low")
    assert Transcode.objects.get().requested_by == staff
    refused = client.post(of(video), {}, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "transcode_running")
    Transcode.objects.all().delete()
    type(copy).objects.update(source_key="")
    refused = client.post(of(video), {}, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "source_gone")


@pytest.mark.parametrize(
    ("body", "code"), [({"quality": "4k"}, "invalid_choice"), ({"protection": "drm"}, "protection_unavailable")]
)
def test_what_cannot_be_had_is_refused(client, hosted, staff, body, code):
    _, video = make_hosted_video(owner=staff, source_key="a/source", status=AssetStatus.READY)
    refused = client.post(of(video), body, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, code)


def test_staff_sees_all_jobs_by_their_state_in_a_constant_number_of_statements(
    client, hosted, staff, django_assert_num_queries
):
    make_job(make_hosted_video()[0], failure_detail="x")
    with django_assert_num_queries(4):
        client.get(ALL)
    for number in range(8):
        make_job(make_hosted_video(title=f"Film {number}")[0], state=TranscodeState.COMPLETED)
    with django_assert_num_queries(4):
        rows = client.get(ALL).json()
    assert (rows["count"], rows["results"][0]["title"]) == (9, "Film 7")
    assert all(row["video_id"] for row in rows["results"])
    assert client.get(ALL, {"state": "processing"}).json()["count"] == 1
    assert client.get(ALL, {"state": "lost"}).status_code == 400
    client.force_authenticate(make_user())
    assert client.get(ALL).status_code == 403
