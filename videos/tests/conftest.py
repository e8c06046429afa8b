import pytest
from rest_framework.test import APIClient

from videos.tests.factories import bearer, make_user


@pytest.fixture(autouse=True)
def _own_project(settings):
    """This app's own addresses and plain policies: its tests know nothing of courses."""
    settings.ROOT_URLCONF = "videos.tests.urls"
    settings.VIDEO_ACCESS_POLICY = "videos.access.decide_by_access_level"
    settings.VIDEO_MANAGE_POLICY = "videos.access.may_manage"
    settings.VIDEO_MANAGED_POLICY = "videos.access.managed_videos"
    settings.VIDEO_CREATE_POLICY = "videos.access.is_staff"
    settings.VIDEO_STAFF_POLICY = "videos.access.is_staff"
    settings.VIDEO_ENQUEUE = "videos.in_process.enqueue"


@pytest.fixture
def viewer(db):
    return make_user()


@pytest.fixture
def client_of(db):
    """`client_of(user)`: an API client with that user's real bearer token; of None: nobody."""

    def client(user=None) -> APIClient:
        client = APIClient()
        if user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Bearer {bearer(user)}")
        return client

    return client
