"""The player on a video's page in the admin."""

from django.template.loader import render_to_string
from django.urls import reverse

from videos.models import AssetStatus


def preview_panel(video):
    """The player for `video`, which asks for its grant in the session of the admin."""
    address = reverse("videos:video-preview", args=[video.pk])
    api = address.removesuffix(f"videos/{video.pk}/playback/")
    return render_to_string("videos/admin/preview.html", {"video": video, "api": api})


def has_preview(video):
    """Whether there is anything to watch of `video`, fetched with its current asset."""
    asset = video.get_current_asset()
    return asset is not None and asset.status == AssetStatus.READY
