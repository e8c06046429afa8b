"""Fails when a runtime requirement, or anything it brings, is under a GPL or AGPL licence.

The video tools are no runtime requirement: programs of their own, run as others, installed beside on request.
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
OPTIONAL_TOOLS = REQUIREMENTS.with_name("requirements-video-tools.txt")
REFUSED = re.compile(r"(?<!L)(?<!lesser )\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)


def licence_of(package: Distribution) -> str:
    meta = package.metadata
    classifiers = [value for value in meta.get_all("Classifier") or [] if value.startswith("License ::")]
    return "; ".join(filter(None, [meta.get("License-Expression"), (meta.get("License") or "")[:80], *classifiers]))


def runtime_packages(requirements: list[str]) -> dict[str, Distribution]:
    """Every installed distribution that `requirements` lead to, by name."""
    found: dict[str, Distribution] = {}
    waiting = [(Requirement(line), {""} | Requirement(line).extras) for line in requirements]
    while waiting:
        requirement, extras = waiting.pop()
        name = requirement.name.lower().replace("_", "-")
        if name in found:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        found[name] = package
        for line in package.requires or []:
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append((needed, {""} | needed.extras))
    return found


def refused(packages: dict[str, Distribution]) -> list[str]:
    return [
        f"{name}: {licence}" for name, package in packages.items() if REFUSED.search(licence := licence_of(package))
    ]


def main() -> int:
    packages = runtime_packages([line for line in REQUIREMENTS.read_text().splitlines() if line.strip()])
    bad = refused(packages)
    print("\n".join(bad) or f"{len(packages)} runtime packages, none under GPL or AGPL")
    print(f"Not counted, since 11Tutors runs without them: the programs of {OPTIONAL_TOOLS.name} (ffmpeg is GPLv3)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
