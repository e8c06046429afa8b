"""What a host's hook changes here."""

from django.utils import timezone

from videos import conf
from videos.models import Asset
from videos.providers.types import WebhookEvent


def take_event(alias: str, event: WebhookEvent) -> bool:
    """Have the asset of this event asked about; gives whether it is ours.

    Whatever the hook says, the host's own answer is what counts. An event about nothing of ours changes nothing.
    """
    asset = Asset.objects.filter(provider=alias, host_id=event.host_id).only("pk").first() if event.host_id else None
    if asset is None:
        return False
    Asset.objects.filter(pk=asset.pk).update(next_poll_at=timezone.now(), poll_attempts=0)
    conf.enqueue("videos.refresh_asset", asset.pk)
    return True
