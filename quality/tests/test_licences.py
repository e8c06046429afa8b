from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from quality.licences import REQUIREMENTS, refused, runtime_packages


def package(folder: Path, *headers: str) -> PathDistribution:
    info = folder / "sample-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("\n".join(("Metadata-Version: 2.4", "Name: sample", "Version: 1", *headers)) + "\n")
    return PathDistribution(info)


@pytest.mark.parametrize(
    "header",
    [
        "License-Expression: GPL-3.0-only",
        "License-Expression: AGPL-3.0-or-later",
        "License: GPLv2",
        "Classifier: License :: OSI Approved :: GNU Affero General Public License v3",
        "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)",
    ],
)
def test_a_copyleft_licence_is_refused(header, tmp_path):
    assert refused({"sample": package(tmp_path, header)})


@pytest.mark.parametrize(
    "header",
    [
        "License-Expression: MIT",
        "License: LGPL with exceptions",
        "Classifier: License :: OSI Approved :: GNU Library or Lesser General Public License (LGPL)",
    ],
)
def test_other_licences_pass(header, tmp_path):
    assert refused({"sample": package(tmp_path, header)}) == []


def test_what_a_requirement_brings_is_looked_at_too():
    found = runtime_packages([line for line in REQUIREMENTS.read_text().splitlines() if line])
    assert {"django", "celery", "kombu", "botocore"} <= set(found)
