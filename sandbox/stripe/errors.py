from typing import Any


class StripeError(Exception):
    """A refusal in Stripe's words: an HTTP status and the `error` object of the answer's body.

    Codes: https://docs.stripe.com/error-codes
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        fields = {"code": self.code, "message": self.message, "param": self.param, "type": self.type}
        if self.code:
            fields["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        return {"error": {name: value for name, value in fields.items() if value is not None}}


def missing_object(kind: str, object_id: str, *, param: str = "id", status: int = 404) -> StripeError:
    """ "No such …": 404 when the id stands in the address, 400 when it stands in a parameter."""
    return StripeError(f"No such {kind}: '{object_id}'", status=status, code="resource_missing", param=param)
