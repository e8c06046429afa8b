"""`python -m sandbox`: the stand-ins in a process of their own, until SIGINT or SIGTERM."""

import argparse
import json
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

from sandbox.config import SandboxConfig
from sandbox.server import Sandbox

ADDRESSES = "sandbox.json"


def main() -> int:
    config = _config(_parser().parse_args())
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    addresses = config.state_dir / ADDRESSES if config.state_dir else None
    if addresses:
        addresses.unlink(missing_ok=True)
    try:
        sandbox = Sandbox(config).start()
    except (OSError, ValueError) as error:
        print(f"The sandbox could not start: {error}", file=sys.stderr)
        return 1
    try:
        _announce(sandbox, addresses)
        stop.wait()
    finally:
        sandbox.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8001, help="0 takes any free port")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 takes any free port")
    parser.add_argument("--state-dir", type=Path, default=Path("var/sandbox"))
    parser.add_argument("--stripe-webhook-url", default=os.environ.get("SANDBOX_STRIPE_WEBHOOK_URL", ""))
    parser.add_argument("--stripe-webhook-secret", default=_first_webhook_secret())
    parser.add_argument("--vdocipher-webhook-url", default=os.environ.get("SANDBOX_VDOCIPHER_WEBHOOK_URL", ""))
    parser.add_argument("--vdocipher-encode-s", type=float, default=SandboxConfig.vdocipher_encode_s)
    parser.add_argument("--cloudflare-webhook-url", default=os.environ.get("SANDBOX_CLOUDFLARE_WEBHOOK_URL", ""))
    parser.add_argument("--cloudflare-encode-s", type=float, default=SandboxConfig.cloudflare_encode_s)
    parser.add_argument("--bunny-webhook-url", default=os.environ.get("SANDBOX_BUNNY_WEBHOOK_URL", ""))
    return parser


def _first_webhook_secret() -> str:
    """The application may know several while it rotates them; the first one is the newest."""
    return os.environ.get("STRIPE_WEBHOOK_SECRET", "").split(",")[0].strip()


def _config(options: argparse.Namespace) -> SandboxConfig:
    keys = {
        "stripe_secret_key": os.environ.get("SANDBOX_STRIPE_SECRET_KEY"),
        "vdocipher_api_secret": os.environ.get("SANDBOX_VDOCIPHER_API_SECRET"),
        "cloudflare_api_token": os.environ.get("SANDBOX_CLOUDFLARE_API_TOKEN"),
        "cloudflare_signing_jwk": os.environ.get("SANDBOX_CLOUDFLARE_SIGNING_KEY"),
        "cloudflare_webhook_secret": os.environ.get("SANDBOX_CLOUDFLARE_WEBHOOK_SECRET"),
    }
    return replace(SandboxConfig(**vars(options)), **{name: key for name, key in keys.items() if key})


def _announce(sandbox: Sandbox, addresses: Path | None) -> None:
    if addresses:
        written = json.dumps({"url": sandbox.url, "smtp_port": sandbox.smtp_port})
        addresses.write_text(written, encoding="utf-8")
    smtp = f"{sandbox.config.host}:{sandbox.smtp_port}"
    print(f"Sandbox at {sandbox.url}/ (inbox {sandbox.url}/mail, SMTP {smtp})", flush=True)


if __name__ == "__main__":
    sys.exit(main())
