from datetime import UTC, datetime

from sandbox.cloudflare.envelope import bad_request


def now() -> float:
    return datetime.now(UTC).timestamp()


def written(at: float | None) -> str | None:
    """A moment as the API writes it, to the microsecond and with a Z."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read(text: str, name: str) -> float:
    """The moment in an RFC 3339 text, UTC unless it says otherwise; raises Refusal naming the field."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"{name} must be an RFC 3339 date and time") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
