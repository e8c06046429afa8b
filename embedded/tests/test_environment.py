import base64
import json

import pytest

from embedded.environment import CLOUDFLARE, CLOUDFLARE_KEYS, make_plan

ASKED_FOR = ("STRIPE_SECRET_KEY", "VIDEO_SERVICE_SECRET_KEY", "VDOCIPHER_API_SECRET", "EMAIL_HOST", "EMAIL_HOST_USER")


@pytest.fixture
def bare(monkeypatch, tmp_path):
    for name in (
        *ASKED_FOR,
        *CLOUDFLARE_KEYS,
        "SENDGRID_API_KEY",
        "MAILGUN_API_KEY",
        "SECRET_KEY",
        "FRONTEND_URL",
        "DEBUG",
        "VDOCIPHER_API_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    return monkeypatch


def test_without_any_key_everything_is_a_stand_in(bare, tmp_path):
    plan = make_plan(tmp_path)
    assert plan.real == []
    assert plan.stand_ins == ["payments (Stripe)", "protected video (VdoCipher)", CLOUDFLARE, "mail"]
    assert plan.environment["STRIPE_API_BASE"] == "http://127.0.0.1:8001/stripe"
    assert plan.environment["STRIPE_SECRET_KEY"].startswith("sk_test_sandbox_")


def test_a_service_with_a_key_in_the_environment_is_real_on_its_own(bare, tmp_path):
    bare.setenv("VIDEO_SERVICE_SECRET_KEY", "a-real-key")
    plan = make_plan(tmp_path)
    assert plan.real == ["protected video (VdoCipher)"]
    assert plan.environment["VIDEO_SERVICE_SECRET_KEY"] == "a-real-key"
    assert "VDOCIPHER_API_URL" not in plan.environment


def test_half_of_cloudflares_keys_is_a_mistake_to_report_and_not_a_stand_in(bare, tmp_path):
    bare.setenv("CLOUDFLARE_STREAM_API_TOKEN", "a-real-token")
    plan = make_plan(tmp_path)
    assert plan.real == [CLOUDFLARE]
    assert "CLOUDFLARE_ACCOUNT_ID" not in plan.environment
    assert "CLOUDFLARE_API_URL" not in plan.environment


def test_cloudflares_signing_key_is_a_private_key_that_stays(bare, tmp_path):
    first, second = make_plan(tmp_path), make_plan(tmp_path)
    jwk = json.loads(base64.b64decode(first.environment["CLOUDFLARE_STREAM_SIGNING_KEY"]))
    assert {"kid", "n", "d"} <= jwk.keys()
    assert first.environment["CLOUDFLARE_STREAM_SIGNING_KEY"] == second.environment["CLOUDFLARE_STREAM_SIGNING_KEY"]
    assert (tmp_path / "var" / "cloudflare_signing_key").stat().st_mode & 0o077 == 0


def test_secrets_are_kept_from_start_to_start_and_readable_by_the_owner_alone(bare, tmp_path):
    first, second = make_plan(tmp_path), make_plan(tmp_path)
    assert first.environment["SECRET_KEY"] == second.environment["SECRET_KEY"]
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o077 == 0


def test_the_plan_shows_no_secret(bare, tmp_path):
    plan = make_plan(tmp_path)
    assert plan.environment["SECRET_KEY"] not in repr(plan)
