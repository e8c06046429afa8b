"""What old records of licences forget: addresses after VIDEO_ADDRESS_DAYS, all of it after VIDEO_SESSION_DAYS."""

from datetime import datetime, timedelta

from django.db.models import QuerySet

from videos import conf
from videos.hosted.models import Licence

BATCH = 1000
NEEDED_FOR = timedelta(days=2)
"""A renewal looks for the first licence of its session, whose token is good for a day."""


def old_licences(now: datetime) -> QuerySet[Licence]:
    """Records that are old enough to go."""
    return Licence.objects.filter(created_at__lt=now - max(timedelta(days=conf.session_days()), NEEDED_FOR))


def old_addresses(now: datetime) -> QuerySet[Licence]:
    """Records that are old enough to have their address blanked."""
    before = now - timedelta(days=conf.address_days())
    return Licence.objects.filter(created_at__lt=before, ip__isnull=False)


def forget(now: datetime) -> int:
    """Delete old records and blank old addresses, a thousand rows at a time; gives of how many rows."""
    done = 0
    while keys := list(old_licences(now).order_by("created_at").values_list("pk", flat=True)[:BATCH]):
        done += Licence.objects.filter(pk__in=keys).delete()[0]
    last = 0
    while keys := list(old_addresses(now).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        done += Licence.objects.filter(pk__in=keys).update(ip=None)
        last = keys[-1]
    return done
