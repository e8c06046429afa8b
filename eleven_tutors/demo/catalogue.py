"""The demo's catalogue as values."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class DemoLesson:
    slug: str
    title: str
    is_free_preview: bool
    is_exam: bool


@dataclass(frozen=True, kw_only=True)
class DemoPart:
    title: str
    lessons: tuple[DemoLesson, ...]


@dataclass(frozen=True, kw_only=True)
class DemoCourse:
    slug: str
    title: str
    university: str
    instructors: tuple[str, ...]
    level: str
    price_minor: int
    currency: str
    summary: str
    description: str
    parts: tuple[DemoPart, ...]


@dataclass(frozen=True, kw_only=True)
class DemoUniversity:
    slug: str
    name: str
    website: str
    description: str


@dataclass(frozen=True, kw_only=True)
class DemoPerson:
    email: str
    first_name: str
    last_name: str


@dataclass(frozen=True, kw_only=True)
class DemoCatalogue:
    universities: tuple[DemoUniversity, ...]
    instructors: tuple[DemoPerson, ...]
    courses: tuple[DemoCourse, ...]


def load_catalogue() -> DemoCatalogue:
    """Read `catalogue.toml` beside this module."""
    raw = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
    return DemoCatalogue(
        universities=tuple(DemoUniversity(**row) for row in raw["universities"]),
        instructors=tuple(DemoPerson(**row) for row in raw["instructors"]),
        courses=tuple(_course(row) for row in raw["courses"]),
    )


def _course(row: Mapping[str, Any]) -> DemoCourse:
    parts = tuple(DemoPart(title=part["title"], lessons=tuple(map(_lesson, part["lessons"]))) for part in row["parts"])
    values = {"currency": "usd", **row, "parts": parts}
    values |= {"instructors": tuple(row["instructors"]), "description": row["description"].strip()}
    return DemoCourse(**values)


def _lesson(line: str) -> DemoLesson:
    slug, title, *marks = (field.strip() for field in line.split("|"))
    return DemoLesson(slug=slug, title=title, is_free_preview="preview" in marks, is_exam="exam" in marks)
