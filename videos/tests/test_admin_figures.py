from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from videos.models import UnusualUse
from videos.services.rollup import roll_up
from videos.tests.factories import make_user, make_video
from videos.tests.viewings import make_viewer, make_viewing

pytestmark = pytest.mark.django_db
FINDINGS = "/admin/videos/unusualuse/"


def log_in(client, *permissions):
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


def page_of(client, video):
    answer = client.get(reverse("admin:videos_video_change", args=[video.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_of_a_video_shows_what_is_watched(client):
    video = make_video(owner=log_in(client, "view_video", "change_video"))
    today = timezone.now()
    for days_ago in (0, 3, 3):
        make_viewing(video=video, created_at=today - timedelta(days=days_ago), startup_ms=640)
    roll_up()
    page = page_of(client, video)
    assert "<strong>640</strong> ms" in page
    three_days_ago = today - timedelta(days=3)
    assert f"<title>{three_days_ago:%-d %b}: 2 views</title>" in page
    assert "<title>0:10: 3 plays</title>" in page
    assert "<title>0:45: 0 plays</title>" in page


def test_a_video_that_nobody_watched_says_so(client):
    page = page_of(client, make_video(owner=log_in(client, "view_video", "change_video")))
    assert "Nobody has watched this video yet." in page
    assert "<svg role" not in page


def test_a_new_video_has_no_figures_to_show(client):
    log_in(client, "add_video", "view_video", "change_video")
    assert 'class="video-figures"' not in client.get(reverse("admin:videos_video_add")).content.decode()


def make_finding(**overrides):
    values = {"kind": "many_devices", "day": timezone.now().date(), "figure": 9, "limit": 8}
    return UnusualUse.objects.create(viewer=make_viewer(), **values | overrides)


def dismissal_of(client, finding):
    chosen = {"action": "dismiss_findings", "_selected_action": [finding.pk]}
    return client.post(FINDINGS, chosen, follow=True).content.decode()


def test_a_finding_is_dismissed_from_the_list(client):
    finding = make_finding()
    log_in(client, "view_unusualuse", "change_unusualuse")
    assert "watched on many devices" in client.get(FINDINGS).content.decode()
    assert "1 finding is dismissed." in dismissal_of(client, finding)
    finding.refresh_from_db()
    assert finding.dismissed_at is not None
    assert "watched on many devices" not in rows(client.get(FINDINGS + "?dismissed=no"))
    assert "watched on many devices" in rows(client.get(FINDINGS + "?dismissed=yes"))


def rows(answer):
    assert answer.status_code == 200
    return str([(row.kind, row.get_kind_display()) for row in answer.context["cl"].result_list])


def test_who_may_only_look_dismisses_nothing(client):
    finding = make_finding()
    log_in(client, "view_unusualuse")
    dismissal_of(client, finding)
    finding.refresh_from_db()
    assert finding.dismissed_at is None


def test_the_list_costs_the_same_whatever_its_length(client, django_assert_max_num_queries):
    log_in(client, "view_unusualuse")
    for number in (1, 20):
        for _ in range(number):
            make_finding()
        with django_assert_max_num_queries(9):
            assert client.get(FINDINGS).status_code == 200
