"""Real threads against the real database: people who change the same video at the same moment."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.db.models.signals import post_save

from videos.models import Asset, AssetStatus
from videos.services.removal import delete_video
from videos.services.uploads import replace_file
from videos.tests.factories import host_video, make_user

pytestmark = pytest.mark.django_db(transaction=True)
FILE = {"filename": "limits.mp4", "size_bytes": 1000, "content_type": "video/mp4"}
HEAD_START_S = 0.5


@pytest.mark.parametrize("status", [AssetStatus.READY, AssetStatus.WAITING, AssetStatus.FAILED])
def test_a_video_that_is_deleted_while_its_file_is_replaced_stays_deleted(sandbox, settings, status):
    settings.VIDEO_ROUTES = [{"use": ["vdocipher"]}]
    video = host_video(sandbox, asset={"status": status})
    owner = make_user(is_staff=True)
    is_written = threading.Event()

    def wait_for_the_deletion(**values):
        is_written.set()
        time.sleep(HEAD_START_S)

    def delete():
        is_written.wait(timeout=10)
        try:
            delete_video(video)
        finally:
            connection.close()

    post_save.connect(wait_for_the_deletion, sender=Asset)
    try:
        with ThreadPoolExecutor(1) as pool:
            deletion = pool.submit(delete)
            replace_file(video=video, actor=owner, **FILE)
            deletion.result(timeout=20)
    finally:
        post_save.disconnect(wait_for_the_deletion, sender=Asset)
    assert {(asset.status, asset.failure_code) for asset in video.assets.filter(is_current=True)} <= {("deleted", "")}
    assert not video.assets.filter(is_next=True).exclude(status=AssetStatus.DELETED).exists()
