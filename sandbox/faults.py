import re
import threading
from dataclasses import dataclass, field, replace
from typing import Any

SERVICES = ("stripe", "vdocipher", "cloudflare", "bunny")


class InvalidFault(ValueError):
    """A fault that cannot be understood; the message says which field and why."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to matching API requests instead of, or around, the usual answer.

    `times` of 0 or less lasts until the faults are cleared. `status` of None keeps the real answer (delayed, cut or
    dripped): the effect is done, only its answer suffers. With a status the request never reaches the stand-in. `after`
    lets the effect come first in any case: `status` then replaces its answer, `drop` loses all of it instead of half.
    `missing` names keys removed from a JSON answer.
    """

    service: str
    path: str = ""
    times: int = 1
    status: int | None = None
    delay_ms: int = 0
    after: bool = False
    drop: bool = False
    drip: bool = False
    body: str | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def matches(self, service: str, path: str) -> bool:
        if service != self.service:
            return False
        return path.startswith(self.path) or re.search(self.path, path) is not None

    @property
    def replaces_answer(self) -> bool:
        return self.status is not None or self.body is not None


@dataclass(frozen=True, kw_only=True)
class WebhookFault:
    """What happens to one webhook: sent `duplicate` times, late, not at all, badly signed, again under a second id,
    after the one that follows it, or in its thin form (the last three at Stripe only)."""

    duplicate: int = 1
    delay_ms: int = 0
    drop: bool = False
    wrong_secret: bool = False
    second_id: bool = False
    reorder: bool = False
    thin: bool = False


class Faults:
    """The faults waiting to happen, first set first used; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._api: list[Fault] = []
        self._webhook: list[tuple[str, int, WebhookFault]] = []

    def add(self, values: dict[str, Any]) -> None:
        """Set one fault from the JSON of `POST /_control/faults`; raises InvalidFault."""
        values = dict(values)
        service = values.get("service")
        if service not in SERVICES:
            raise InvalidFault(f"service: one of {', '.join(SERVICES)}, not {service!r}")
        if "webhook" in values:
            self._add_webhook(service, values)
        else:
            self._add_api(values)

    def clear(self) -> None:
        with self._lock:
            self._api.clear()
            self._webhook.clear()

    def describe(self) -> list[dict[str, Any]]:
        """The faults still waiting, as JSON."""
        with self._lock:
            webhooks = [{"service": s, "times": t, "webhook": vars(fault)} for s, t, fault in self._webhook]
            return [vars(fault) | {"missing": list(fault.missing)} for fault in self._api] + webhooks

    def take(self, service: str, path: str) -> Fault | None:
        """The fault for this API request, if one waits; counts it as used."""
        with self._lock:
            for index, fault in enumerate(self._api):
                if fault.matches(service, path):
                    if fault.times == 1:
                        del self._api[index]
                    elif fault.times > 1:
                        self._api[index] = replace(fault, times=fault.times - 1)
                    return fault
        return None

    def take_webhook(self, service: str) -> WebhookFault | None:
        """The fault for the next webhook of this service, if one waits; counts it as used."""
        with self._lock:
            for index, (name, times, fault) in enumerate(self._webhook):
                if name == service:
                    if times == 1:
                        del self._webhook[index]
                    elif times > 1:
                        self._webhook[index] = (name, times - 1, fault)
                    return fault
        return None

    def _add_api(self, values: dict[str, Any]) -> None:
        checked = _checked(values, _API_FIELDS)
        checked["missing"] = tuple(checked.get("missing", ()))
        fault = Fault(**checked)
        if not all(isinstance(value, str) for value in fault.headers.values()):
            raise InvalidFault("headers: every value must be text")
        if not all(isinstance(key, str) for key in fault.missing):
            raise InvalidFault("missing: every key must be text")
        try:
            re.compile(fault.path)
        except re.error as error:
            raise InvalidFault(f"path: not a regular expression ({error})") from error
        if fault.status is not None and not 200 <= fault.status <= 599:
            raise InvalidFault("status: between 200 and 599")
        with self._lock:
            self._api.append(fault)

    def _add_webhook(self, service: str, values: dict[str, Any]) -> None:
        outer = _checked(values, {"service": str, "times": int, "webhook": dict})
        fault = WebhookFault(**_checked(outer["webhook"], _WEBHOOK_FIELDS))
        if fault.duplicate < 1:
            raise InvalidFault("webhook.duplicate: 1 or more")
        with self._lock:
            self._webhook.append((service, outer.get("times", 1), fault))


_API_FIELDS: dict[str, type] = {
    "service": str,
    "path": str,
    "times": int,
    "status": int,
    "delay_ms": int,
    "after": bool,
    "drop": bool,
    "drip": bool,
    "body": str,
    "content_type": str,
    "headers": dict,
    "missing": list,
}
_WEBHOOK_FIELDS: dict[str, type] = {
    "duplicate": int,
    "delay_ms": int,
    "drop": bool,
    "wrong_secret": bool,
    "second_id": bool,
    "reorder": bool,
    "thin": bool,
}


def _checked(values: dict[str, Any], fields: dict[str, type]) -> dict[str, Any]:
    for name, value in values.items():
        if name not in fields:
            raise InvalidFault(f"{name}: unknown; known are {', '.join(fields)}")
        wanted = fields[name]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise InvalidFault(f"{name}: must be {wanted.__name__}, not {type(value).__name__}")
    if values.get("delay_ms", 0) < 0:
        raise InvalidFault("delay_ms: 0 or more")
    return dict(values)
