"""The ledger of hosts' hooks. A hook is a hint: its work is to have the host asked about the copy it names."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connections, models, router, transaction
from django.utils import timezone

from videos import conf
from videos.models import Asset, WebhookEvent, WebhookRefusal
from videos.providers import reading, types

logger = logging.getLogger(__name__)

MANY_REFUSALS = 10

# Counting up needs the value that is there, which no queryset can name in an upsert.
_RECORD = """
INSERT INTO videos_webhookevent ({columns}) VALUES ({values})
ON CONFLICT (provider, key) DO UPDATE SET
  times_received = videos_webhookevent.times_received + 1, received_at = EXCLUDED.received_at,
  handled_at = EXCLUDED.handled_at, asset_id = EXCLUDED.asset_id,
  last_error = EXCLUDED.last_error
"""
_COUNT_REFUSAL = """
INSERT INTO videos_webhookrefusal ({columns}) VALUES ({values})
ON CONFLICT (provider, day, code) DO UPDATE SET
  count = videos_webhookrefusal.count + 1, last_at = EXCLUDED.last_at
RETURNING count
"""


def take_events(alias: str, events: Sequence[types.WebhookEvent], body: bytes) -> None:
    """Keep the verified events of one hook and have the copies that they name asked about.

    The same event again raises its count and has the host asked again. An event about nothing of ours is kept and
    changes nothing. Several hooks about one copy cause one question, unless one arrives after it was asked.
    """
    now = timezone.now()
    wanted = {event.host_id for event in events if event.host_id}
    with transaction.atomic():
        found = Asset.objects.filter(provider=alias, host_id__in=wanted).values_list("host_id", "pk")
        assets: dict[str, int] = dict(found) if wanted else {}
        if assets:
            # Before the events: whoever applies an answer locks in this order too.
            Asset.objects.filter(pk__in=assets.values()).update(next_poll_at=now, poll_attempts=0)
        for number, event in enumerate(events):
            _record(alias, event, _key(event, body, number), assets.get(event.host_id), now)
        for asset_id in assets.values():
            conf.enqueue("videos.refresh_due_asset", asset_id)


def mark_handled(asset: Asset, asked_at: datetime) -> None:
    """The host's answer to a question of `asked_at` settles all that was received before; call it where it applies."""
    WebhookEvent.objects.filter(asset=asset, handled_at=None, received_at__lte=asked_at).update(
        handled_at=timezone.now(), last_error=""
    )


def note_failure(asset: Asset, code: str) -> None:
    """Keep why the question that these events ask for has no answer yet."""
    WebhookEvent.objects.filter(asset=asset, handled_at=None).update(last_error=code[:255])


def count_refusal(alias: str, code: str) -> int:
    """Count one refused hook of today and give how many there were; an error is logged at 10, 100, 1000 …"""
    now = timezone.now()
    row = {"provider": alias[:64], "day": now.date(), "code": code[:64], "count": 1, "last_at": now}
    count = int(_upsert(WebhookRefusal, _COUNT_REFUSAL, row))
    level = logging.ERROR if _is_round(count) else logging.WARNING
    logger.log(level, "A hook of %s was refused: %s (%s today)", alias, code, count)
    return count


def _record(alias: str, event: types.WebhookEvent, key: str, asset_id: int | None, now: datetime) -> None:
    row = {
        "provider": alias,
        "key": key,
        "host_id": event.host_id[:255],
        "kind": event.kind.value,
        "host_kind": event.host_kind[:64],
        "asset_id": asset_id,
        "payload": {} if event.is_hint else dict(event.raw),
        "times_received": 1,
        "received_at": now,
        "handled_at": None if asset_id else now,
        "last_error": "" if asset_id else "about no video of ours",
    }
    _upsert(WebhookEvent, _RECORD, reading.storable(row))


def _key(event: types.WebhookEvent, body: bytes, number: int) -> str:
    if event.event_id.isprintable() and 0 < len(event.event_id) <= 128:
        return event.event_id
    digest = hashlib.sha256(event.event_id.encode(errors="surrogatepass") or body).hexdigest()
    return f"{digest}-{number}" if number else digest


def _upsert(model: type[models.Model], statement: str, row: Mapping[str, Any]) -> Any:
    """Run the statement with the row's values; gives the first value that it returns, if any."""
    connection = connections[router.db_for_write(model)]
    fields = {field.attname: field for field in model._meta.concrete_fields}
    values = [fields[name].get_db_prep_save(value, connection) for name, value in row.items()]
    text = statement.format(columns=", ".join(row), values=", ".join(["%s"] * len(row)))
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        returned = cursor.fetchone() if cursor.description else None
    return returned[0] if returned else None


def _is_round(count: int) -> bool:
    return count >= MANY_REFUSALS and str(count).rstrip("0") == "1"
