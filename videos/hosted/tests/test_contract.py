"""The contract of every provider, kept by our own host with each store and delivery that go together."""

from uuid import uuid4

import pytest

from videos.hosted.models import Scheme, Transcode, TranscodeState
from videos.hosted.services.transcoding import steps
from videos.hosted.tests import buckets
from videos.hosted.tests.clips import clip
from videos.hosted.tests.conftest import KEK
from videos.hosted.tests.deliveries import COMBINATIONS, configure
from videos.hosted.tests.making import make_hosted_video, make_published_video
from videos.hosted.tests.serving import granted, serving
from videos.models import Asset
from videos.providers import failures
from videos.tests.providers.contract import ProviderContract, make_request

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


class HostedContract(ProviderContract):
    combination = ""
    secrets = (KEK, buckets.SECRET_KEY)
    largest_bytes = 50 * 1000**3

    @pytest.fixture
    def provider(self, settings, tmp_path):
        settings.VIDEO_ENQUEUE = "videos.hosted.tests.jobs.ring"
        return configure(settings, tmp_path, self.combination)

    @pytest.fixture
    def site(self):
        with serving() as address:
            yield address

    @pytest.fixture
    def ready_id(self, provider):
        return make_published_video(scheme=Scheme.OPEN)[0].host_id

    @pytest.fixture
    def deletable_id(self, provider):
        return make_hosted_video()[0].host_id

    @pytest.fixture
    def failed_id(self, provider):
        copy, _ = make_hosted_video()
        Transcode.objects.create(video=copy, state=TranscodeState.FAILED, failure_code=failures.UNREADABLE)
        return copy.host_id

    @pytest.fixture
    def film(self):
        return clip().read_bytes()

    def work(self, provider, host_id):
        for transcode in Transcode.objects.filter(video__public_id=host_id):
            steps.run_steps(transcode.pk)

    def request_for(self, host_id, **overrides):
        asset = Asset.objects.filter(host_id=host_id).select_related("video").first()
        session_id = granted(asset.video).session.public_id if asset else uuid4()
        return make_request(host_id, session_id=str(session_id), **overrides)


class TestLocalDjango(HostedContract):
    combination = "local-django"


class TestLocalXAccel(HostedContract):
    combination = "local-x_accel"

    @pytest.fixture
    def upload_providers(self):
        pytest.skip("a delivery has no part in uploads, and this store's are tested above")


class TestBucketDjango(HostedContract):
    combination = "bucket-django"

    @pytest.fixture
    def upload_providers(self):
        pytest.skip("a delivery has no part in uploads, and this store's are tested below")


class TestBucketPresigned(HostedContract):
    combination = "bucket-presigned"


def test_every_combination_is_tested():
    assert {found.combination for found in HostedContract.__subclasses__()} == set(COMBINATIONS)
