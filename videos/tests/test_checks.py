import pytest

from videos.checks import ROUTED_ON, check_routes
from videos.services.routing import MATCHES


def ids(routes, settings) -> list[str]:
    settings.VIDEO_ROUTES = routes
    return [message.id for message in check_routes()]


@pytest.mark.parametrize(
    "routes",
    [
        "vdocipher",
        [{"use": "vdocipher"}],
        [{"use": []}],
        [{"when": {}}],
        [["vdocipher"]],
        [{"use": ["vdocipher"], "whenn": {}}],
        [{"use": ["vdocipher"], "when": {"level": "public"}}],
        [{"use": ["vdocipher"], "when": ["drm"]}],
        [{"use": ["vdocipher"], "when": {"size": 5}}],
        [{"use": ["vdocipher"], "when": {"size": {"least": 5}}}],
        [{"use": ["vdocipher"], "when": {"size": {}}}],
        [{"use": ["vdocipher"], "when": {"size": {"min": "5"}}}],
    ],
)
def test_routes_of_a_wrong_shape_are_an_error(sandbox, settings, routes):
    assert ids(routes, settings) == ["videos.E005"]


def test_a_rule_that_leads_nowhere_is_a_warning(sandbox, settings):
    assert ids([{"use": ["bunny"]}, {"use": ["bunny", "vdocipher"]}], settings) == ["videos.W005"]


@pytest.mark.parametrize("routes", [None, [], [{"use": ["vdocipher"], "when": {"size": {"max": 5}, "tags": "exam"}}]])
def test_good_routes_pass(sandbox, settings, routes):
    assert ids(routes, settings) == []


def test_what_can_be_matched_is_what_is_checked():
    assert set(ROUTED_ON) == set(MATCHES)
