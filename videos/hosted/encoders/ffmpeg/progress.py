"""How far ffmpeg is, out of what it writes with `-progress`."""

from collections.abc import Callable

ARGUMENTS = ("-progress", "pipe:1", "-stats_period", "0.5")


class Progress:
    """Tells `report` a share from 0 to 1 by each line of ffmpeg's, and again in between, so that a lease is kept.

    `wanted` is the number that stands for the whole: frames, or microseconds.
    """

    def __init__(self, report: Callable[[float], None], *, name: str, wanted: float) -> None:
        self._report, self._name, self._wanted = report, name, max(wanted, 1)
        self.value = 0

    def line(self, text: str) -> None:
        name, _, value = text.partition("=")
        if name == self._name and value.strip().isdigit():
            self.value = int(value)
            self.beat()

    def beat(self) -> None:
        self._report(min(1.0, self.value / self._wanted))
