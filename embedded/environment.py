"""What the children of `make run` get in their environment, and which services are real."""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from environs import Env

from sandbox.cloudflare.account import new_signing_key
from sandbox.config import SandboxConfig

STRIPE_SANDBOX_KEY = "sk_test_sandbox_11tutors"
VDOCIPHER_SANDBOX_KEY = "vdo_sandbox_11tutors"
CLOUDFLARE = "video (Cloudflare Stream)"
CLOUDFLARE_KEYS = (
    "CLOUDFLARE_ACCOUNT_ID",
    "CLOUDFLARE_STREAM_API_TOKEN",
    "CLOUDFLARE_STREAM_SIGNING_KEY",
    "CLOUDFLARE_STREAM_SIGNING_KEY_ID",
    "CLOUDFLARE_STREAM_CUSTOMER_CODE",
    "CLOUDFLARE_STREAM_WEBHOOK_SECRET",
)


@dataclass(frozen=True)
class Plan:
    """Ports, folders and environment of the children; `real` and `stand_ins` name services for the start line."""

    port: int
    sandbox_port: int
    var_dir: Path
    environment: dict[str, str] = field(repr=False)
    real: list[str]
    stand_ins: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"


def make_plan(base_dir: Path) -> Plan:
    """Decide from the environment and `.env` what is real; everything else is pointed at the sandbox."""
    env = Env()
    env.read_env(str(base_dir / ".env"), recurse=False)
    port, sandbox_port = env.int("PORT", 8000), env.int("SANDBOX_PORT", 8001)
    var_dir = Path(env.str("VAR_DIR", str(base_dir / "var")))
    values = dict(os.environ) | {
        "VAR_DIR": str(var_dir),
        "DEBUG": env.str("DEBUG", "1"),
        "SECRET_KEY": env.str("SECRET_KEY", "") or _kept_secret(var_dir / "secret_key"),
        "FRONTEND_URL": env.str("FRONTEND_URL", "") or f"http://127.0.0.1:{port}",
        "SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
        "PYTHONUNBUFFERED": "1",
    }
    real, stand_ins = [], []
    for name, is_real, sandbox_values in (
        ("payments (Stripe)", bool(env.str("STRIPE_SECRET_KEY", "")), _stripe_stand_in(sandbox_port, var_dir)),
        (
            "protected video (VdoCipher)",
            bool(env.str("VIDEO_SERVICE_SECRET_KEY", "") or env.str("VDOCIPHER_API_SECRET", "")),
            _vdocipher_stand_in(sandbox_port, var_dir),
        ),
        (CLOUDFLARE, any(env.str(name, "") for name in CLOUDFLARE_KEYS), _cloudflare_stand_in(sandbox_port, var_dir)),
        ("mail", _has_mail(env), {"EMAIL_HOST": "127.0.0.1", "EMAIL_USE_TLS": "0", "EMAIL_HOST_USER": ""}),
    ):
        (real if is_real else stand_ins).append(name)
        if not is_real:
            values |= sandbox_values
    return Plan(port, sandbox_port, var_dir, values, real, stand_ins)


def _has_mail(env: Env) -> bool:
    return any(env.str(name, "") for name in ("EMAIL_HOST", "EMAIL_HOST_USER", "SENDGRID_API_KEY", "MAILGUN_API_KEY"))


def _stripe_stand_in(sandbox_port: int, var_dir: Path) -> dict[str, str]:
    return {
        "STRIPE_SECRET_KEY": STRIPE_SANDBOX_KEY,
        "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox_port}/stripe",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{_kept_secret(var_dir / 'stripe_webhook_secret')}",
    }


def _vdocipher_stand_in(sandbox_port: int, var_dir: Path) -> dict[str, str]:
    return {
        "VIDEO_SERVICE_SECRET_KEY": VDOCIPHER_SANDBOX_KEY,
        "VDOCIPHER_API_URL": f"http://127.0.0.1:{sandbox_port}/vdocipher/api",
        "VDOCIPHER_PLAYER_URL": f"http://127.0.0.1:{sandbox_port}/vdocipher/player/v2/",
        "VDOCIPHER_WEBHOOK_SECRET": _kept_secret(var_dir / "vdocipher_webhook_secret"),
    }


def _cloudflare_stand_in(sandbox_port: int, var_dir: Path) -> dict[str, str]:
    base = f"http://127.0.0.1:{sandbox_port}/cloudflare"
    return {
        "CLOUDFLARE_ACCOUNT_ID": SandboxConfig.cloudflare_account_id,
        "CLOUDFLARE_STREAM_API_TOKEN": SandboxConfig.cloudflare_api_token,
        "CLOUDFLARE_STREAM_SIGNING_KEY": _kept_secret(var_dir / "cloudflare_signing_key", new_signing_key),
        "CLOUDFLARE_STREAM_WEBHOOK_SECRET": _kept_secret(var_dir / "cloudflare_webhook_secret"),
        "CLOUDFLARE_API_URL": f"{base}/client/v4",
        "CLOUDFLARE_STREAM_PLAYBACK_URL": f"{base}/customer-{SandboxConfig.cloudflare_customer_code}",
        "CLOUDFLARE_STREAM_PLAYER_SCRIPT_URL": f"{base}/embed/sdk.latest.js",
    }


def _new_secret() -> str:
    return secrets.token_urlsafe(48)


def _kept_secret(path: Path, make: Callable[[], str] = _new_secret) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text()
