import subprocess
import sys

import pytest

from quality import wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    wheel.install_wheel(folder)
    return folder


def test_the_wheel_brings_the_app_alone(installed):
    assert wheel.differences(installed) == []
    assert {path.name for path in installed.iterdir() if path.suffix != ".dist-info"} == {"videos"}


@pytest.mark.parametrize("name", ["videos/migrations/0001_initial.py", "videos/README.md"])
def test_a_file_that_the_wheel_lacks_is_named(installed, name):
    path = installed / name
    kept = path.read_bytes()
    path.unlink()
    try:
        assert wheel.differences(installed) == [f"not in the wheel: {name}"]
    finally:
        path.write_bytes(kept)


@pytest.mark.parametrize("name", ["courses/models.py", "videos/tests/factories.py", "conftest.py"])
def test_a_file_that_the_wheel_should_not_have_is_named(installed, name):
    path = installed / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    try:
        assert wheel.differences(installed) == [f"has no place in the wheel: {name}"]
    finally:
        path.unlink()
        if path.parent.name in ("courses", "tests"):
            path.parent.rmdir()


def test_what_the_wheel_needs_is_what_is_tested_here():
    assert wheel.undeclared_versions() == []


def test_with_what_it_declares_and_nothing_else_the_app_is_imported(installed, tmp_path):
    wheel.link_requirements(tmp_path)
    script = "import videos.providers.vdocipher, videos.api.schema, django, jwt"

    def run(code):
        path = {"PYTHONPATH": f"{installed}:{tmp_path}"}
        return subprocess.run(
            [sys.executable, "-S", "-c", code], env=path, cwd=tmp_path, capture_output=True, text=True
        )

    done = run(f"from django.conf import settings; settings.configure(); {script}")
    assert done.returncode == 0, done.stderr
    for stranger in ("courses", "celery", "unfold", "rest_framework_simplejwt"):
        assert f"No module named '{stranger}'" in run(f"import {stranger}").stderr
