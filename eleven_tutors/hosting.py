"""What the settings of our own video host are made of."""

import base64
import hashlib


def development_keys(secret_key: str) -> dict[str, str]:
    """A key-encryption key that follows from SECRET_KEY: for development alone, a check says so."""
    return {"development": base64.b64encode(hashlib.sha256(f"videos/{secret_key}".encode()).digest()).decode()}
