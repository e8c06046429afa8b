"""Entry points of background work. With Celery installed they are its tasks, without it plain functions."""

from typing import Any

from videos.hosted.services.clearing import sweeping
from videos.hosted.services.operations import alarms
from videos.hosted.services.transcoding import steps

try:
    from celery import shared_task
except ImportError:

    def shared_task(**options: Any) -> Any:
        return lambda function: function


# Taken as done when it begins: a broker would hand a message that is worked on for hours to a second worker. What a
# worker that dies leaves behind is found by the sweep.
@shared_task(name="videos.hosted.run_steps", acks_late=False)
def run_steps(transcode_id: int) -> None:
    steps.run_steps(transcode_id)


@shared_task(name="videos.hosted.sweep")
def sweep() -> int:
    return sweeping.sweep()


@shared_task(name="videos.hosted.sweep_thoroughly")
def sweep_thoroughly() -> int:
    return sweeping.sweep(is_thorough=True)


@shared_task(name="videos.hosted.raise_alarms")
def raise_alarms() -> int:
    return len(alarms.raise_alarms())
