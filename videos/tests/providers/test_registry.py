import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from videos.checks import check_providers
from videos.providers.exceptions import ProviderMisconfigured, UnknownProvider
from videos.providers.registry import providers

BACKEND = "videos.providers.vdocipher.VdoCipherProvider"


def make_options(**overrides):
    return {"api_secret": "a-real-key", "webhook_secret": "hook-token", **overrides}


def configure(settings, *, backend=BACKEND, **overrides):
    settings.VIDEO_PROVIDERS = {"vdocipher": {"BACKEND": backend, "OPTIONS": make_options(**overrides)}}


def messages():
    return [str(message.msg) for message in check_providers()]


def test_an_alias_gives_its_provider(settings):
    configure(settings, pin_ip=True)
    provider = providers["vdocipher"]
    assert (provider.alias, provider.pin_ip) == ("vdocipher", True)


def test_the_registry_is_a_mapping_over_the_setting(settings):
    configure(settings)
    assert list(providers) == ["vdocipher"]
    assert len(providers) == 1
    assert "vdocipher" in providers
    settings.VIDEO_PROVIDERS = {}
    assert list(providers) == []
    assert "vdocipher" not in providers
    assert providers.get("vdocipher") is None


def test_an_unknown_alias_is_named_with_its_setting(settings):
    settings.VIDEO_PROVIDERS = {}
    with pytest.raises(UnknownProvider) as caught:
        providers["loom"]
    assert str(caught.value) == '"loom" is not an alias in the setting VIDEO_PROVIDERS.'


def test_a_missing_key_stops_the_provider_from_being_built(settings):
    configure(settings, api_secret="")
    with pytest.raises(
        ProviderMisconfigured, match=r'VIDEO_PROVIDERS\["vdocipher"\].*VIDEO_SERVICE_SECRET_KEY'
    ) as caught:
        providers["vdocipher"]
    assert isinstance(caught.value, ImproperlyConfigured)


def test_a_sound_configuration_passes_the_check(settings):
    configure(settings)
    assert check_providers() == []


def test_manage_check_fails_and_names_alias_and_variable(settings):
    configure(settings, api_secret="")
    with pytest.raises(SystemCheckError) as caught:
        call_command("check", tags=["videos"])
    assert 'VIDEO_PROVIDERS["vdocipher"]' in str(caught.value)
    assert "VIDEO_SERVICE_SECRET_KEY" in str(caught.value)


@pytest.mark.parametrize(
    "backend", ["no.such.module", "videos.providers.vdocipher.Missing", "videos.models.Video", None, ""]
)
def test_a_backend_that_cannot_be_used_is_an_error(settings, backend):
    configure(settings, backend=backend)
    assert [message.id for message in check_providers()] == ["videos.E001"]
    assert "BACKEND" in messages()[0]


def test_an_unknown_option_is_an_error(settings):
    configure(settings, api_key="x", alias="other")
    assert len(messages()) == 2
    assert "unknown option 'api_key'" in messages()[0]


@pytest.mark.parametrize("entry", [None, [], "dotted.path", {"BACKEND": BACKEND, "OPTIONS": []}])
def test_an_entry_of_another_shape_is_an_error(settings, entry):
    settings.VIDEO_PROVIDERS = {"vdocipher": entry}
    assert [message.id for message in check_providers()] == ["videos.E001"]


def test_an_unknown_key_of_an_entry_is_an_error(settings):
    configure(settings)
    settings.VIDEO_PROVIDERS["vdocipher"]["OPTION"] = {}
    assert messages() == ["VIDEO_PROVIDERS[\"vdocipher\"]: unknown key 'OPTION'."]


def test_the_setting_itself_must_be_a_mapping(settings):
    settings.VIDEO_PROVIDERS = ["vdocipher"]
    assert [message.id for message in check_providers()] == ["videos.E001"]


@pytest.mark.parametrize(
    ("overrides", "ids"),
    [
        ({"api_url": "http://dev.vdocipher.com/api"}, ["videos.E002"]),
        ({"player_url": "ftp://player.vdocipher.com/"}, ["videos.E002"]),
        ({"api_url": "http://127.0.0.1:8001/vdocipher/api"}, ["videos.E003"]),
        ({"api_secret": "vdo_sandbox_x"}, ["videos.E003"]),
        ({"api_url": "http://[::1]:1/api", "api_secret": "vdo_sandbox_x"}, []),
        ({"api_url": "http://localhost:1/api", "api_secret": "vdo_sandbox_x"}, []),
        ({"watermark_style": {"colour": "red"}}, ["videos.E004"]),
        ({"watermark_style": {"color": "0x00FF00", "skip": "5000"}}, []),
        ({"webhook_secret": ""}, ["videos.W001"]),
    ],
)
def test_options_that_do_not_fit_are_found_without_network(settings, overrides, ids):
    configure(settings, **overrides)
    assert [message.id for message in check_providers()] == ids


def test_no_check_shows_a_secret(settings):
    configure(settings, api_secret="vdo_sandbox_hunter2", webhook_secret="hunter3", api_url="http://x.test", nope=1)
    assert "hunter" not in repr(check_providers())
    configure(settings, api_secret="vdo_sandbox_hunter2", webhook_secret="hunter3", api_url="http://x.test")
    assert "hunter" not in repr(check_providers()) + repr(providers["vdocipher"])
