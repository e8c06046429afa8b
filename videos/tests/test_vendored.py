"""The browser files that others wrote are those that the manifest names, with their licences beside them."""

import hashlib
import json
from pathlib import Path

import videos

VENDOR = Path(videos.__file__).parent / "static/videos/vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())
LICENCES = {"MIT", "BSD-3-Clause", "ISC", "Apache-2.0"}


def test_every_vendored_file_is_the_one_in_the_manifest():
    for entry in MANIFEST:
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]


def test_every_vendored_file_is_listed_with_version_source_and_licence():
    listed = {"manifest.json"}
    for entry in MANIFEST:
        assert entry["name"]
        assert entry["version"]
        assert entry["source"]
        assert {entry["licence"], *(part["licence"] for part in entry["contains"])} <= LICENCES
        listed |= {entry["file"], *entry["licence_files"]}
    assert listed == {str(file.relative_to(VENDOR)) for file in VENDOR.rglob("*") if file.is_file()}


def test_every_package_inside_a_built_file_has_its_licence_text():
    for entry in MANIFEST:
        texts = "".join((VENDOR / name).read_text() for name in entry["licence_files"])
        names = [part["name"] for part in entry["contains"] if not part["name"].startswith("@uppy/")]
        assert [name for name in names if f"{name} " not in texts] == []
        assert "Copyright" in texts
