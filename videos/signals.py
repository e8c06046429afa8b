"""What the host project may listen to. Sent after the change has committed; a failing listener breaks nothing."""

from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

video_ready = Signal()
"""A video became playable: `video`, `asset`."""
video_failed = Signal()
"""The host could not make a video playable: `video`, `asset`, `reason`."""
playback_started = Signal()
"""The first heartbeat with something played, of a viewing that counts: `session`."""
video_completed = Signal()
"""A viewer reached completion: `session`. Sent once watched intervals are reported."""


def send_on_commit(signal: Signal, sender: type, **arguments: Any) -> None:
    """Send `signal` once the current transaction has committed; receivers' exceptions are logged by Django."""
    transaction.on_commit(partial(signal.send_robust, sender, **arguments), robust=True)
