import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded import tools

ROOT = Path(__file__).resolve().parents[2]


def put_on_the_path(folder, names, monkeypatch):
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_tools_on_the_path_are_enough_and_half_of_them_are_not(monkeypatch, tmp_path):
    monkeypatch.setattr(tools, "PACKAGE", "no_such_package")
    put_on_the_path(tmp_path, ("ffmpeg", "ffprobe"), monkeypatch)
    assert not tools.are_there()
    put_on_the_path(tmp_path, ("packager",), monkeypatch)
    assert tools.are_there()


@pytest.fixture
def bare(tmp_path):
    """A Python that knows neither the package nor anything to install from."""
    return {"PATH": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("wanted", "told"),
    [("0", "Uploads to our own host wait"), ("1", "could not be installed (ERROR: No matching distribution")],
)
def test_without_them_the_platform_starts_and_says_what_is_missing(bare, tmp_path, wanted, told):
    wish = tmp_path / "requirements.txt"
    wish.write_text("a-package-that-nobody-made\n")
    code = f"from embedded import tools; tools.PACKAGE, tools.REQUIREMENTS = 'no_such', '{wish}'; tools.main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=bare | {"VIDEO_TOOLS": wanted}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert told in done.stdout
    assert ("GPLv3" in done.stdout) == (wanted == "1")
