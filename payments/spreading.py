"""How one amount is shared among several things without losing or making a single unit."""

from collections.abc import Sequence


def spread(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Share `amount_minor` in proportion to `weights` (none negative), by largest remainder.

    The shares add up to the amount, none is more than one unit off its exact share, and equal remainders go to the
    earlier places. Without any weight everything falls to the first place. Raises ValueError for no places at all.
    """
    if not weights:
        raise ValueError("there is nothing to spread an amount over")
    total = sum(weights)
    if total == 0:
        return [amount_minor] + [0] * (len(weights) - 1)
    shares = [amount_minor * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(amount_minor * weights[place] % total))
    for place in by_remainder[: amount_minor - sum(shares)]:
        shares[place] += 1
    return shares
