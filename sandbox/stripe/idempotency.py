from collections.abc import Callable
from dataclasses import dataclass

from sandbox.store import Store
from sandbox.stripe.errors import StripeError

COLLECTION = "stripe.idempotency"
LONGEST_KEY = 255
NOT_SAVED = frozenset({400, 401, 403, 404, 409, 429})


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    request_id: str
    is_replayed: bool = False


class Idempotency:
    """The first answer under a key is given again to the same request: https://docs.stripe.com/api/idempotent_requests

    An answer that only refuses the parameters is not kept; an error of the server (500) is.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._in_flight: set[str] = set()

    def answer(self, key: str | None, request: str, run: Callable[[], Answer]) -> Answer:
        """What `run` gives, or gave the first time; `request` is a text that tells one request from another.

        Raises StripeError (idempotency_error) for another request under the key (400) or while the first runs (409).
        """
        if key is None:
            return run()
        if len(key) > LONGEST_KEY:
            raise StripeError(f"Idempotency key can be at most {LONGEST_KEY} characters.", type="idempotency_error")
        if saved := self._claim(key, request):
            return saved
        try:
            answer = run()
            if answer.status not in NOT_SAVED:
                kept = {
                    "request": request,
                    "status": answer.status,
                    "body": answer.body,
                    "request_id": answer.request_id,
                }
                self._store.put(COLLECTION, key, kept)
            return answer
        finally:
            with self._store.lock:
                self._in_flight.discard(key)

    def _claim(self, key: str, request: str) -> Answer | None:
        with self._store.lock:
            saved = self._store.get(COLLECTION, key)
            if saved is not None and saved["request"] != request:
                message = (
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                    f"Try using a key other than '{key}' if you meant to execute a different request."
                )
                raise StripeError(message, type="idempotency_error")
            if saved is not None:
                return Answer(saved["status"], saved["body"], saved["request_id"], is_replayed=True)
            if key in self._in_flight:
                message = (
                    "There is currently another in-progress request using this Idempotent Key (that probably means you "
                    f"submitted twice, and the other request is still going through): {key}. Please try again later."
                )
                raise StripeError(message, status=409, type="idempotency_error", code="idempotency_key_in_use")
            self._in_flight.add(key)
            return None
