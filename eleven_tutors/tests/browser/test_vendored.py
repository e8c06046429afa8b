"""What browser tests load of others is what the manifest names, with its licence beside it."""

import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).parent / "vendor"
MANIFEST = json.loads((VENDOR / "manifest.json").read_text())
TITLES = {"Apache-2.0": "Apache License, Version 2.0", "MPL-2.0": "Mozilla Public License, version 2.0"}


def test_every_file_is_the_one_in_the_manifest_and_none_is_beside_it():
    listed = {"manifest.json", "README.md"}
    for entry in MANIFEST:
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        assert entry["version"] in (VENDOR / entry["file"]).read_text(), entry["file"]
        listed |= {entry["file"], *entry["licence_files"]}
    assert listed == {str(file.relative_to(VENDOR)) for file in VENDOR.rglob("*") if file.is_file()}


def test_every_file_has_the_text_of_its_licence_beside_it():
    for entry in MANIFEST:
        own = (VENDOR / entry["licence_files"][0]).read_text()
        assert TITLES[entry["licence"]].lower() in own.lower(), entry["name"]
