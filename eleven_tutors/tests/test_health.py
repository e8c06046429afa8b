from functools import partial

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from courses.tests.people import make_instructor, make_staff
from users.tests.factories import auth_client, make_user


def test_alive_touches_nothing():
    assert APIClient().get("/api/health/").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_names_every_part():
    answer = APIClient().get("/api/health/ready/")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "parts": {"database": "ok", "cache": "ok", "broker": "ok", "storage": "ok"},
    }


@pytest.mark.django_db
def test_ready_says_which_part_is_missing(settings):
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    answer = APIClient().get("/api/health/ready/")
    assert answer.status_code == 503
    assert answer.json()["parts"]["cache"] == "ConnectionError"
    assert "127.0.0.1" not in answer.text


@pytest.mark.django_db
def test_staff_see_how_fast_each_host_answers(sandbox):
    answer = auth_client(make_user(is_staff=True, is_superuser=True)).get("/api/health/providers/")
    hosts = answer.json()["hosts"]
    assert [host["alias"] for host in hosts] == ["vdocipher", "cloudflare"]
    assert all(host["is_reachable"] is True for host in hosts)
    assert all(0 < host["response_ms"] < 5000 for host in hosts)
    payments = {finding["code"]: finding["is_well"] for finding in answer.json()["payments"]}
    assert payments == {"mode": True, "reachable": True, "clock": True, "endpoint_missing": False}


@pytest.mark.django_db
def test_a_host_that_is_down_is_said_to_be_down(sandbox):
    sandbox.fault(service="vdocipher", path=".*", status=500, times=-1)
    answer = auth_client(make_user(is_staff=True, is_superuser=True)).get("/api/health/providers/")
    reachable = {host["alias"]: host["is_reachable"] for host in answer.json()["hosts"]}
    assert reachable == {"vdocipher": False, "cloudflare": True}


@pytest.mark.django_db
@pytest.mark.parametrize("make_person", [make_user, make_instructor, partial(make_user, is_staff=True)])
def test_only_those_who_run_the_platform_see_the_hosts(make_person):
    assert auth_client(make_person()).get("/api/health/providers/").status_code == 403
    assert auth_client(make_staff()).get("/api/health/providers/").status_code == 200


@pytest.mark.django_db
def test_asking_whether_it_is_ready_leaves_the_cache_as_small_as_it_was():
    counts = []
    for _ in range(3):
        APIClient().get("/api/health/ready/")
        counts.append(len(cache._cache))
    assert counts == [1, 1, 1]
