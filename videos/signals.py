"""What the host project may listen to. Sent after the change has committed; a failing listener breaks nothing."""

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

    # Django names a robust callback that failed in its log, which a functools.partial has no name for.
    def send() -> None:
        signal.send_robust(sender, **arguments)

    transaction.on_commit(send, robust=True)
