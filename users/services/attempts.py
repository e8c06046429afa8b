from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.settings import api_settings

from users.models import AddressAttempts

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def claim_attempt(*, rate: str, address: str) -> int:
    """Count one attempt on an address, of e-mail or of a client; gives 0, or the seconds to wait when it is used up.

    The count lives in the database, so that processes share it and a restart does not forget it. It is the same
    whether the address is registered or not.
    """
    limit, window = _limit(rate)
    now = timezone.now()
    key = {"rate": rate, "address_hash": _hash(address)}
    with transaction.atomic():
        attempts, _ = AddressAttempts.objects.select_for_update().get_or_create(**key, defaults={"started_at": now})
        if attempts.started_at + window <= now:
            attempts.started_at, attempts.count = now, 0
        if attempts.count >= limit:
            return _seconds_left(attempts.started_at + window - now)
        attempts.count += 1
        attempts.save(update_fields=["started_at", "count"])
    return 0


def forget_attempts(*, rate: str, address: str) -> None:
    """Start the count of an address afresh, as after a log-in that succeeded; the row stays for whoever is claiming."""
    AddressAttempts.objects.filter(rate=rate, address_hash=_hash(address)).update(count=0)


def flush_attempts(*, before: datetime | None = None) -> int:
    """Delete counts that began before then (two days ago by default: longer than any window); gives how many."""
    return AddressAttempts.objects.filter(started_at__lt=before or timezone.now() - timedelta(days=2)).delete()[0]


def _limit(rate: str) -> tuple[int, timedelta]:
    limit, period = str(api_settings.DEFAULT_THROTTLE_RATES[rate]).split("/")
    return int(limit), timedelta(seconds=_SECONDS[period[0]])


def _seconds_left(left: timedelta) -> int:
    return max(1, int(left.total_seconds()))


def _hash(address: str) -> str:
    # What cannot be encoded is no address, yet it must not break the request that is about to be refused.
    text = address.strip().lower().encode(errors="replace")
    return salted_hmac("users.attempts", text, algorithm="sha256").hexdigest()
