import re
from collections.abc import Iterable
from typing import Any

from sandbox.stripe.errors import StripeError

NAME = re.compile(r"(?P<root>[^\[\]]+)(?P<rest>(?:\[[^\[\]]*\])*)")
PART = re.compile(r"\[([^\[\]]*)\]")
DEEPEST = 12

Tree = dict[str, Any]


def decode(pairs: Iterable[tuple[str, str]]) -> Tree:
    """The nested form of `a[b][0][c]=1`: dicts all the way down, leaves are strings.

    Lists stay dicts keyed by "0", "1", … (`a[]` counts on), because only the schema knows what is a list.
    """
    tree: Tree = {}
    for name, value in pairs:
        _put(tree, _path(name), value, name)
    return tree


def _path(name: str) -> list[str]:
    match = NAME.fullmatch(name)
    if match is None:
        raise StripeError(f"Invalid request: cannot read the parameter name {name!r}", param=name)
    path = [match["root"], *PART.findall(match["rest"])]
    if len(path) > DEEPEST:
        raise StripeError(f"Invalid request: the parameter {match['root']} is nested too deeply", param=match["root"])
    return path


def _put(tree: Tree, path: list[str], value: str, name: str) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(tree, dict):
            raise StripeError(f"Invalid request: {name} is both a value and an object", param=name)
    last = path[-1] or str(len(tree))
    if isinstance(tree.get(last), dict):
        raise StripeError(f"Invalid request: {name} is both a value and an object", param=name)
    tree[last] = value
