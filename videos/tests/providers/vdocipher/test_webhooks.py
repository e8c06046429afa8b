import json

import pytest

from videos.providers.exceptions import WebhookRejected
from videos.providers.types import WebhookKind
from videos.tests.providers.vdocipher.test_contract import HOOK_TOKEN, ready_hook


def parse(provider, hook, token=HOOK_TOKEN):
    body = hook if isinstance(hook, bytes) else json.dumps(hook).encode()
    return provider.parse_webhook(headers={}, query={} if token is None else {"token": token}, body=body)


@pytest.mark.parametrize("event", ["video:ready", "video:readyall"])
def test_a_hook_is_a_hint_about_one_asset(provider, event):
    [found] = parse(provider, ready_hook(event=event))
    assert (found.kind, found.host_id, found.host_kind) == (WebhookKind.ASSET_CHANGED, "8cf4129200a4", event)
    assert found.is_hint


@pytest.mark.parametrize(
    "hook",
    [
        ready_hook(event="video:dreams"),
        ready_hook(event=None),
        ready_hook(payload=None),
        ready_hook(payload={"id": 7}),
        ready_hook(payload={"id": "../x"}),
        ready_hook(payload={"id": "\0"}),
        {},
    ],
)
def test_a_hook_that_says_something_else_is_unknown(provider, hook):
    [found] = parse(provider, hook)
    assert found.kind is WebhookKind.UNKNOWN


@pytest.mark.parametrize("token", [None, "", "wrong", HOOK_TOKEN + "x", "ä", "\ud800"])
def test_a_hook_with_another_token_is_refused(provider, token):
    with pytest.raises(WebhookRejected) as caught:
        parse(provider, ready_hook(), token)
    assert caught.value.code == "invalid_signature"
