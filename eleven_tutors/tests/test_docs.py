"""What the documents name is there, and what is there is named."""

import ast
import re
from itertools import chain
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from payments.api.errors import _CONFLICTS
from payments.configuration import POLICIES
from payments.services.webhooks import EVENTS

BASE_DIR = Path(settings.BASE_DIR)
PAGES = [BASE_DIR / "README.md", BASE_DIR / "CHANGELOG.md", *sorted((BASE_DIR / "docs").glob("*.md"))]
FOR_DEVELOPERS = {"help", "format", "clean-all"}


def text_of(path: str) -> str:
    return (BASE_DIR / path).read_text(encoding="utf-8")


def variables_read() -> set[str]:
    calls = [node for node in ast.walk(ast.parse(text_of("eleven_tutors/settings.py"))) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if re.fullmatch(r"env\.\w+", ast.unparse(call.func)) and isinstance(call.args[0], ast.Constant)
    }


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_variable_that_is_read_is_described_and_no_other():
    described = re.findall(r"^#([A-Z][A-Z0-9_]*)=", text_of(".env.example"), re.MULTILINE)
    assert len(described) == len(set(described))
    assert set(described) == variables_read()


def test_the_settings_in_the_readme_are_there():
    table = text_of("README.md").partition("\n## Settings\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", table))
    assert "STRIPE_SECRET_KEY" in named
    assert named <= variables_read()


def test_the_make_targets_in_the_readme_are_those_of_the_makefile():
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", text_of("README.md")))
    assert named == targets - FOR_DEVELOPERS


def test_operators_find_each_job_command_event_and_policy_of_payments():
    jobs = [name for name in settings.CELERY_BEAT_SCHEDULE if name.startswith("payments.")]
    commands = [name for name, app in get_commands().items() if app == "payments"]
    policies = [f"{name}={value}" for name, values in POLICIES.items() for value in values]
    page = text_of("docs/operators.md")
    assert [name for name in chain(jobs, commands, EVENTS, policies) if f"`{name}`" not in page] == []


def test_frontends_find_each_refusal_of_a_checkout():
    page = text_of("docs/frontend.md")
    assert [code for code, _ in _CONFLICTS.values() if f"| 409 | `{code}` |" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if "://" in target or path.startswith("/"):
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target
