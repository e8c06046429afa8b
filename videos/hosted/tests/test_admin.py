import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from videos.hosted.models import (
    ContentKey,
    Licence,
    Package,
    PackageState,
    Scheme,
    Step,
    StepState,
    Transcode,
    TranscodeState,
    Upload,
    UploadKind,
)
from videos.hosted.tests.making import make_hosted_video, make_key
from videos.tests.factories import make_user

pytestmark = pytest.mark.django_db
LISTS = ["transcode", "package", "contentkey", "licence", "upload"]


def listed(name):
    return reverse(f"admin:videos_hosted_{name}_changelist")


@pytest.fixture
def staff(client):
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="manage_all_videos"))
    client.force_login(user)
    return user


@pytest.fixture
def rows(hosted):
    return make_rows()


def make_rows(title="Limits"):
    copy, video = make_hosted_video(title=title, source_key="a/source")
    key = make_key(copy, kid=copy.public_id)
    job = Transcode.objects.create(
        video=copy, state=TranscodeState.FAILED, failure_code="unreadable", finished_at=timezone.now()
    )
    Step.objects.create(transcode=job, stage=0, kind="probe", state=StepState.FAILED, last_error="moov atom not found")
    package = Package.objects.create(video=copy, key=key, scheme=Scheme.CBCS, state=PackageState.PUBLISHED)
    licence = Licence.objects.create(system="clearkey", result="issued", key=key, video=video, user=make_user())
    upload = Upload.objects.create(
        video=copy, kind=UploadKind.TUS, key="a/source", length=10, offset=5, expires_at=timezone.now()
    )
    return {"transcode": job, "package": package, "contentkey": key, "licence": licence, "upload": upload}


@pytest.mark.parametrize("name", LISTS)
def test_rows_are_read_by_who_sees_all_videos_and_changed_by_nobody(client, rows, staff, name):
    page = reverse(f"admin:videos_hosted_{name}_change", args=[rows[name].pk])
    shown = client.get(page)
    assert (shown.status_code, client.get(listed(name)).status_code) == (200, 200)
    assert client.post(page, {}).status_code == 403
    assert client.get(reverse(f"admin:videos_hosted_{name}_add")).status_code == 403
    text = shown.content.decode()
    assert [secret in text for secret in (rows["contentkey"].wrapped, rows["upload"].secret)] == [False, False]
    client.force_login(make_user(is_staff=True))
    assert client.get(listed(name)).status_code == 403


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_however_long_it_is(client, rows, staff, name, django_assert_max_num_queries):
    client.get(listed(name))
    with django_assert_max_num_queries(100) as few:
        client.get(listed(name))
    for number in range(4):
        make_rows(f"Film {number}")
    with django_assert_max_num_queries(len(few)):
        page = client.get(listed(name)).content.decode()
    assert "Film 3" in page


def test_a_list_leads_to_the_video(client, rows, staff):
    asset = rows["transcode"].video.get_asset()
    address = reverse("admin:videos_video_change", args=[asset.video_id])
    assert f'href="{address}"' in client.get(listed("transcode")).content.decode()


def test_the_list_of_jobs_begins_with_figures_and_alarms(client, rows, staff):
    for number in range(2):
        make_rows(f"Film {number}")
    page = client.get(listed("transcode")).content.decode()
    assert "3 transcodes failed within 5 minutes." in page
    assert '<dt>Failed today</dt><dd style="margin: 0"><strong>3</strong>' in page


def test_failed_jobs_are_tried_again_and_others_left_alone(client, rows, staff):
    def act():
        data = {"action": "try_again", "_selected_action": [rows["transcode"].pk]}
        return client.post(listed("transcode"), data, follow=True).content.decode()

    assert "1 job is started again." in act()
    assert Transcode.objects.first().requested_by == staff
    assert "being prepared already" in act()
    Transcode.objects.exclude(pk=rows["transcode"].pk).delete()
    type(rows["transcode"].video).objects.update(source_key="")
    assert "no longer kept" in act()
    assert Transcode.objects.count() == 1


def test_a_key_is_revoked_once_somebody_has_confirmed_it(client, rows, staff):
    data = {"action": "revoke", "_selected_action": [rows["contentkey"].pk]}
    page = client.post(listed("contentkey"), data)
    assert "within 60 minutes" in page.content.decode()
    assert ContentKey.objects.get().state == "active"
    assert (
        "1 key is revoked."
        in client.post(listed("contentkey"), data | {"confirmed": "1"}, follow=True).content.decode()
    )
    assert ContentKey.objects.get().state == "revoked"


def test_licences_are_narrowed_to_the_refused_ones(client, rows, staff):
    Licence.objects.create(system="clearkey", result="too_many_licences")
    found = client.get(listed("licence"), {"outcome": "refused"}).context["cl"].result_list
    assert [row.result for row in found] == ["too_many_licences"]
