"""How long to wait before asking a host again."""

from datetime import timedelta


def backoff(attempts: int, *, first_s: int = 30, slowest_s: int = 3600) -> timedelta:
    """`first_s` after no fruitless attempt, doubled with each further one, `slowest_s` at most."""
    return timedelta(seconds=min(first_s * 2 ** min(attempts, 20), slowest_s))
