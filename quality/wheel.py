"""Fails unless the wheel holds the whole app `videos`, without its tests, and nothing else of this repository."""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from quality.licences import REQUIREMENTS, runtime_packages

BASE_DIR = Path(__file__).resolve().parent.parent
LEFT_OUT = {"tests", "__pycache__"}


def install_wheel(target: Path) -> None:
    """Build the wheel of this repository and install it, without what it needs, into the folder `target`."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    with tempfile.TemporaryDirectory(prefix="videos-wheel-") as folder:
        subprocess.run(
            [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, str(BASE_DIR)], check=True
        )
        [wheel] = Path(folder).glob("*.whl")
        subprocess.run([*pip, "install", "--no-deps", "--no-compile", "--target", str(target), str(wheel)], check=True)


def link_requirements(target: Path) -> None:
    """Put what the wheel declares to need, and nothing else that is installed here, into the folder `target`."""
    for package in runtime_packages(declared_requirements()).values():
        for name in {file.parts[0] for file in package.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            link = target / name
            if not link.exists():
                link.symlink_to(Path(str(package.locate_file(name))))


def declared_requirements() -> list[str]:
    """The requirements in `pyproject.toml`, without extras."""
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return list(project["dependencies"])


def differences(installed: Path) -> list[str]:
    """What is installed in this folder and should not be, or the other way round; one line each."""
    source = _files(BASE_DIR / "videos")
    wanted = {f"videos/{name}" for name in source if not LEFT_OUT.intersection(name.split("/"))}
    found = {name for name in _files(installed) if not name.partition("/")[0].endswith(".dist-info")}
    missing = [f"not in the wheel: {name}" for name in sorted(wanted - found)]
    return missing + [f"has no place in the wheel: {name}" for name in sorted(found - wanted)]


def undeclared_versions() -> list[str]:
    """Requirements of the wheel that are not, word for word, those that this project is tested with."""
    tested = set(REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    return [f"not in {REQUIREMENTS.name}: {line}" for line in declared_requirements() if line not in tested]


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="videos-installed-") as folder:
        install_wheel(Path(folder))
        bad = differences(Path(folder)) + undeclared_versions()
        count = len(_files(Path(folder)))
    print("\n".join(bad) or f"{count} files, the app videos alone")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
