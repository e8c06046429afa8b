import dataclasses
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from videos.providers.exceptions import WebhookRejected
from videos.providers.types import WebhookKind

TOO_OLD_S = 301


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One hook as it arrives at the door."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


class WebhookContract:
    """What every host with hooks keeps to. A subclass signs bodies in `make_hook` and gives the fixture
    `changed_body`, what the host says of a changed video; `secret_option` names the option that proves a hook."""

    secret_option = "webhook_secret"
    signs_body = True
    signs_time = True
    unknown_bodies: tuple[object, ...] = ({}, {"event": "of.tomorrow"}, {"a": None})

    def make_hook(self, body, *, secret=None, at=None):
        """The hook that the host would send: signed with the right secret, now, unless told otherwise."""
        pytest.skip("this host sends no hooks")

    @pytest.fixture
    def changed_body(self, ready_id):
        """(What the host says of a changed video, the id of the video.)"""
        pytest.skip("this host sends no hooks")

    def test_a_hook_names_the_asset_that_changed(self, provider, changed_body):
        body, host_id = changed_body
        [event] = parse(provider, self.make_hook(encoded(body)))
        assert (event.kind, event.host_id) == (WebhookKind.ASSET_CHANGED, host_id)
        assert event.raw == body
        assert event.host_kind
        assert event.is_hint != self.signs_body

    def test_header_names_come_in_any_case(self, provider, changed_body):
        hook = self.make_hook(encoded(changed_body[0]))
        for change in (str.lower, str.upper):
            headers = {change(name): value for name, value in hook.headers.items()}
            assert parse(provider, dataclasses.replace(hook, headers=headers))

    def test_a_hook_that_comes_twice_is_the_same_event(self, provider, changed_body):
        hooks = [self.make_hook(encoded(changed_body[0]), at=time.time() - age_s) for age_s in (60, 0)]
        [first], [second] = [parse(provider, hook) for hook in hooks]
        assert first.event_id == second.event_id
        assert len(first.event_id) <= 128

    def test_a_hook_with_another_secret_is_refused(self, provider, changed_body):
        assert refusal(provider, self.make_hook(encoded(changed_body[0]), secret="another")) == "invalid_signature"

    def test_a_hook_without_any_proof_is_refused(self, provider, changed_body):
        assert refusal(provider, Hook(body=encoded(changed_body[0]))) == "invalid_signature"

    def test_a_hook_with_another_body_is_refused(self, provider, changed_body):
        if not self.signs_body:
            pytest.skip("this host signs no bodies")
        hook = self.make_hook(encoded(changed_body[0]))
        for body in (hook.body + b" ", hook.body[:-1], b""):
            assert refusal(provider, dataclasses.replace(hook, body=body)) == "invalid_signature"

    @pytest.mark.parametrize("away_s", [-TOO_OLD_S, TOO_OLD_S + 1])
    def test_a_hook_of_another_time_is_refused(self, provider, changed_body, away_s):
        if not self.signs_time:
            pytest.skip("this host signs no times")
        hook = self.make_hook(encoded(changed_body[0]), at=time.time() + away_s)
        assert refusal(provider, hook) == "invalid_signature"

    def test_a_hook_about_something_else_is_unknown(self, provider):
        for body in self.unknown_bodies:
            [event] = parse(provider, self.make_hook(encoded(body)))
            assert (event.kind, event.host_id) == (WebhookKind.UNKNOWN, "")

    @pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b"7", b"{", b"[" * 100_000])
    def test_a_hook_that_is_no_object_is_malformed(self, provider, body):
        assert refusal(provider, self.make_hook(body)) == "malformed"

    def test_what_no_database_takes_is_not_kept_of_a_hook(self, provider):
        body = rb'{"title": "\ud800", "a\u0000": ["\u0000", 1e400, NaN, 2.5]}'
        [event] = parse(provider, self.make_hook(body))
        assert event.raw == {"title": "?", "a\ufffd": ["\ufffd", None, None, 2.5]}

    @pytest.mark.parametrize("secret", ["", "another", None])
    def test_without_a_secret_no_hook_is_believed(self, provider, changed_body, secret):
        hook = self.make_hook(encoded(changed_body[0]), secret=secret)
        bare = dataclasses.replace(provider, **{self.secret_option: ""})
        assert refusal(bare, hook) == "unconfigured"


def encoded(body):
    return json.dumps(body).encode()


def parse(provider, hook):
    return provider.parse_webhook(headers=hook.headers, query=hook.query, body=hook.body)


def refusal(provider, hook):
    """The code that a hook is refused with."""
    with pytest.raises(WebhookRejected) as caught:
        parse(provider, hook)
    return caught.value.code
