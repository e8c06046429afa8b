from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.settings import api_settings

from users.models import AddressAttempts

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def claim_attempt(*, rate: str, address: str) -> int:
    """Count one attempt on an e-mail address; gives 0, or the seconds to wait when the rate is used up.

    The count lives in the database, so that processes share it and a restart does not forget it. It is the same
    whether the address is registered or not.
    """
    limit, window = _limit(rate)
    now = timezone.now()
    key = {"rate": rate, "address_hash": _hash(address)}
    with transaction.atomic():
        AddressAttempts.objects.bulk_create([AddressAttempts(**key, started_at=now)], ignore_conflicts=True)
        attempts = AddressAttempts.objects.select_for_update().get(**key)
        if attempts.started_at + window <= now:
            attempts.started_at, attempts.count = now, 0
        if attempts.count >= limit:
            return _seconds_left(attempts.started_at + window - now)
        attempts.count += 1
        attempts.save(update_fields=["started_at", "count"])
    return 0


def forget_attempts(*, rate: str, address: str) -> None:
    """Start the count of an address afresh, as after a log-in that succeeded."""
    AddressAttempts.objects.filter(rate=rate, address_hash=_hash(address)).delete()


def flush_attempts(*, before: datetime | None = None) -> int:
    """Delete counts that began before then (two days ago by default: longer than any window); gives how many."""
    return AddressAttempts.objects.filter(started_at__lt=before or timezone.now() - timedelta(days=2)).delete()[0]


def _limit(rate: str) -> tuple[int, timedelta]:
    limit, period = str(api_settings.DEFAULT_THROTTLE_RATES[rate]).split("/")
    return int(limit), timedelta(seconds=_SECONDS[period[0]])


def _seconds_left(left: timedelta) -> int:
    return max(1, int(left.total_seconds()))


def _hash(address: str) -> str:
    return salted_hmac("users.attempts", address.strip().lower(), algorithm="sha256").hexdigest()
