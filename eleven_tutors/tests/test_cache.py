import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from users.tests.factories import PASSWORD, make_user


@pytest.fixture
def dead_redis(settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "eleven_tutors.cache.ForgivingRedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
            "OPTIONS": {"socket_connect_timeout": 1},
        }
    }


def test_a_cache_that_is_down_finds_and_keeps_nothing(dead_redis):
    cache.set("key", "value")
    assert cache.get("key") is None
    assert cache.get("key", "instead") == "instead"
    assert cache.get_many(["key"]) == {}
    assert cache.add("key", "value") is False


@pytest.mark.django_db
def test_people_log_in_while_the_cache_is_down(dead_redis):
    user = make_user()
    answer = APIClient().post("/api/users/token/", {"email": user.email, "password": PASSWORD})
    assert answer.status_code == 200
