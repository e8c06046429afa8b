"""Money never passes through a float: 4,586 of the prices 0.01 to 999.99 come out wrong by `int(price * 100)`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SECONDS = re.compile(r"(_S|_s|seconds)$")
INEXACT = {"float", "Decimal", "round", "Fraction", "fsum"}


def sources() -> list[Path]:
    found = [path for path in (ROOT / "payments").rglob("*.py") if "tests" not in path.parts]
    return sorted([*found, ROOT / "courses" / "money.py"])


def inexact(code: str) -> Iterator[str]:
    """What computes, or could compute, with anything but whole numbers; seconds (`…_S = 3.05`) and paths may."""
    tree = ast.parse(code)
    allowed = {
        id(part) for node in ast.walk(tree) if _is_seconds(node) or _joins_paths(node) for part in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in allowed:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"line {node.lineno}: {node.value}"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"line {node.lineno}: a division that is not whole"
        elif isinstance(node, ast.Name) and node.id in INEXACT:
            yield f"line {node.lineno}: {node.id}"
        elif isinstance(node, ast.Attribute) and node.attr in {*INEXACT, "FloatField", "DecimalField", "Avg"}:
            yield f"line {node.lineno}: {node.attr}"


def _is_seconds(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return bool(targets) and all(isinstance(target, ast.Name) and SECONDS.search(target.id) for target in targets)


def _joins_paths(node: ast.AST) -> bool:
    """`folder / "name"`: one side of it is a text."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
        return False
    return any(isinstance(side, ast.Constant | ast.JoinedStr) and _is_text(side) for side in (node.left, node.right))


def _is_text(side: ast.Constant | ast.JoinedStr) -> bool:
    return isinstance(side, ast.JoinedStr) or isinstance(side.value, str)


def test_money_is_whole():
    found = [f"{path.relative_to(ROOT)} {what}" for path in sources() for what in inexact(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "minor = int(price * 100.0)",
        "half = total_minor / 2",
        "total_minor /= 2",
        "float(total)",
        "import decimal; decimal.Decimal('1.10')",
        "from decimal import Decimal; Decimal(1)",
        "round(total_minor * 3)",
        "models.DecimalField()",
        "rate = 1e2",
    ],
)
def test_the_search_finds_what_it_is_for(code):
    assert list(inexact(code))


def test_the_search_leaves_seconds_and_paths_alone():
    for code in (
        "TIMEOUT_S = 3.05",
        "seconds = round(3.05)",
        'path = folder / "orders.csv"',
        "third = total_minor // 3",
    ):
        assert list(inexact(code)) == []


def test_no_page_computes_with_amounts():
    """Pages show the ready `…_display`, so none of ours divides or multiplies an amount."""
    computing = re.compile(r"floatformat|widthratio|_minor\)? *[*/]|toFixed\(2\)|/ *100\b")
    assert computing.search("(order.total_minor / 100).toFixed(2)")
    pages = [*(ROOT / "static" / "pages").rglob("*.js"), *(ROOT / "templates").rglob("*.html")]
    assert [page.name for page in pages if computing.search(page.read_text())] == []
