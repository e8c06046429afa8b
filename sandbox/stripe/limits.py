"""Limits that Stripe sets on single values; those of metadata are from its guide and not confirmed against the API."""

import re
from typing import Any
from urllib.parse import urlsplit

from sandbox.stripe.errors import StripeError

EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")


def check_address(address: str, *, param: str) -> None:
    """Raises StripeError unless the address is absolute: http or https, with a host."""
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or re.search(r"\s", address):
        raise StripeError("Not a valid URL", code="url_invalid", param=param)
    if len(address) > 5000:
        raise StripeError("URL must be 5000 characters or less.", code="url_invalid", param=param)


def check_email(email: str, *, param: str) -> None:
    if not EMAIL.fullmatch(email):
        raise StripeError(f"Invalid email address: {email}", code="email_invalid", param=param)


def check_length(value: str, most: int, *, param: str) -> None:
    if len(value) > most:
        message = f"Invalid string: {value[:20]}...; must be at most {most} characters"
        raise StripeError(message, param=param)


def check_metadata(metadata: dict[str, str] | str | None, *, param: str) -> None:
    """At most 50 keys of at most 40 characters, values of at most 500."""
    if not isinstance(metadata, dict):
        return
    if len(metadata) > 50:
        message = f"You can only have up to 50 metadata keys, but this request has {len(metadata)}."
        raise StripeError(message, param=param)
    for name, value in metadata.items():
        if len(name) > 40:
            message = (
                f"Metadata keys can have up to 40 characters, but you passed in a key that is {len(name)} characters."
            )
            raise StripeError(message, param=param)
        if len(value) > 500:
            message = f"Metadata values can have up to 500 characters, but this one has {len(value)}."
            raise StripeError(message, param=f"{param}[{name}]")


def merged_metadata(metadata: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Metadata after an update: the keys sent replace those of the same name; '' unsets them all."""
    if "metadata" not in data:
        return metadata
    return metadata | data["metadata"] if data["metadata"] else {}
