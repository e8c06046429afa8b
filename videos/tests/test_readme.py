import re
from pathlib import Path

import pytest
from django.core.management import call_command

import videos
from videos import signals
from videos.api.urls import urlpatterns
from videos.management import commands
from videos.providers import features
from videos.providers.base import VideoProvider

APP = Path(videos.__file__).parent
README = (APP / "README.md").read_text(encoding="utf-8")
SETTING_READ = re.compile(r"""(?:getattr\(settings, |_policy\()"(VIDEO_[A-Z_]+)\"""")


def section(title: str) -> str:
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_table_of_features_is_what_the_providers_say(capsys):
    call_command("video_features")
    shown = README.partition("<!-- features -->")[2].partition("<!-- /features -->")[0].strip()
    assert shown == capsys.readouterr().out.strip()


def test_every_provider_of_the_app_is_in_the_table():
    defined = {
        name
        for path in (*(APP / "providers").glob("*.py"), APP / "hosted" / "provider.py")
        for name in re.findall(r"(?m)^class (\w+)\((?:\w+, )?VideoProvider\)", path.read_text(encoding="utf-8"))
    }
    assert {backend.__name__ for backend in features.known_backends()} == defined
    assert len(defined) > 1


def test_every_flag_is_in_the_table():
    table = features.matrix(features.known_backends())
    assert all(f"| {flag.removeprefix('supports_')} |" in table for flag in VideoProvider.METHODS_BY_FLAG)


def test_the_configured_hosts_can_be_asked_for_alone(sandbox, settings, capsys):
    settings.VIDEO_PROVIDERS = {"vdocipher": settings.VIDEO_PROVIDERS["vdocipher"]}
    call_command("video_features", "--configured")
    assert capsys.readouterr().out.splitlines()[0] == "|  | `VdoCipherProvider` |"


def test_every_setting_is_described_and_no_other():
    sources = [path for path in APP.rglob("*.py") if "tests" not in path.relative_to(APP).parts]
    read = {name for path in sources for name in SETTING_READ.findall(path.read_text(encoding="utf-8"))}
    described = set(re.findall(r"(?m)^\| `(VIDEO_[A-Z_]+)`", section("Settings")))
    assert described == read


def test_every_command_is_described():
    names = {path.stem for path in Path(commands.__path__[0]).glob("[!_]*.py")}
    described = section("Commands")
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", described)] == []


def test_every_address_is_described():
    described = section("Addresses")
    for pattern in urlpatterns:
        address = re.sub(r"<\w+:(\w+?)(_id)?>", r"<\1>", str(pattern.pattern)) or "/"
        assert f"`{address}`" in described, address


@pytest.mark.parametrize("name", ["video_ready", "video_failed", "playback_started", "video_completed"])
def test_every_signal_is_described(name):
    assert hasattr(signals, name)
    assert f"`{name}`" in section("Signals")


def test_the_page_about_adding_a_host_names_files_that_exist():
    page = (APP.parent / "docs" / "adding-a-host.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:videos|sandbox|docs|eleven_tutors)/[\w/.-]+)`", page)
    assert len(paths) > 10
    assert [path for path in paths if not (APP.parent / path).exists()] == []
