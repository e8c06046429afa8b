import argparse
import re
from datetime import timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """Read `90m`, `48h` or `30d` for a command line; raises argparse.ArgumentTypeError."""
    found = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text}: minutes, hours or days, such as 90m, 48h or 30d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
