"""What a host of ours keeps."""

from django.db.models import Sum

from videos.hosted.models import HostedVideo, Package, PackageState
from videos.providers.types import HostStorage

_THERE = (PackageState.PUBLISHED, PackageState.RETIRED)


def storage(alias: str) -> HostStorage:
    """Originals and packages that are in the store, as far as their sizes were written down; four statements."""
    videos = HostedVideo.objects.filter(alias=alias, deleted_at=None)
    originals = HostedVideo.objects.filter(alias=alias, emptied_at=None).exclude(source_key="")
    packages = Package.objects.filter(video__alias=alias, state__in=_THERE)
    kept = originals.aggregate(size=Sum("source_bytes"))["size"] or 0
    made = packages.aggregate(size=Sum("size_bytes"))["size"] or 0
    played = videos.aggregate(seconds=Sum("package__duration_s"))["seconds"] or 0.0
    return HostStorage(stored_bytes=kept + made, stored_s=played, videos=videos.count())
