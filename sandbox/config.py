from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SandboxConfig:
    """How one sandbox is started. Ports of 0 mean "any free port"; without `state_dir` the state lives in memory."""

    port: int = 0
    smtp_port: int = 0
    state_dir: Path | None = None
    stripe_secret_key: str = "sk_test_sandbox_11tutors"
    stripe_webhook_url: str = ""
    stripe_webhook_secret: str = ""
    vdocipher_api_secret: str = "vdo_sandbox_11tutors"
    vdocipher_webhook_url: str = ""
    vdocipher_encode_s: float = 1.0
    cloudflare_account_id: str = "023e105f4ecef8ad9ca31a8372d0c353"
    cloudflare_api_token: str = "cf_sandbox_11tutors"
    cloudflare_customer_code: str = "sandbox11tutors"
    cloudflare_signing_jwk: str = ""
    cloudflare_webhook_url: str = ""
    cloudflare_webhook_secret: str = ""
    cloudflare_encode_s: float = 1.0
    bunny_library_id: str = "133"
    bunny_api_key: str = "bunny_sandbox_11tutors"
    bunny_token_key: str = "token-key-of-the-bunny-sandbox"
    bunny_read_only_key: str = "read-only-key-of-the-bunny-sandbox"
    bunny_webhook_url: str = ""
    bunny_encode_s: float = 1.0
    host: str = "127.0.0.1"
