import subprocess

import pytest

from videos.hosted.models import Scheme
from videos.hosted.tests.making import KEY, make_published_video
from videos.hosted.tests.tools import FFMPEG

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.mark.parametrize("scheme", Scheme.values)
def test_a_published_video_has_its_files_in_the_store(hosted, scheme):
    copy, _ = make_published_video(scheme=scheme)
    store = hosted.get_store()
    assert [key for key in store.keys(copy.package.prefix) if key.endswith((".mp4", ".ts"))]
    assert {row.name for row in copy.package.manifests.all()} >= {"master.m3u8", "v180.m3u8"}


def test_what_was_encrypted_opens_with_its_key(hosted):
    copy, _ = make_published_video()
    path = hosted.get_store().local_path(copy.package.prefix + "v180.mp4")
    command = [FFMPEG, "-v", "error", "-decryption_key", KEY.hex(), "-i", path, "-f", "framemd5", "-"]
    frames = subprocess.run(command, capture_output=True, check=True).stdout
    assert frames.count(b"\n0,") >= 119
