from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle, ScopedRateThrottle

from users.client_address import client_address
from users.services import claim_attempt

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module while it is loading


class ClientThrottle(ScopedRateThrottle):
    """The rate of the view's `throttle_scope` for each user, or for each client address when nobody is signed in."""

    def get_rate(self) -> str:
        return str(api_settings.DEFAULT_THROTTLE_RATES[str(self.scope)])

    def get_ident(self, request: Request) -> str:
        return client_address(request)


class ClientAndAddressThrottle(BaseThrottle):
    """The client's rate, then the rate named `address_rate` of the e-mail address that the request is about.

    So neither many tries from one place nor tries on one address from many places get through. A request that the
    client's own rate stops does not count against the address.
    """

    address_rate: str

    def __init__(self) -> None:
        self._client = ClientThrottle()
        self._wait_s: float | None = None

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not self._client.allow_request(request, view):
            self._wait_s = self._client.wait()
            return False
        address = _address_in(request)
        self._wait_s = claim_attempt(rate=self.address_rate, address=address) if address else 0
        return not self._wait_s

    def wait(self) -> float | None:
        return self._wait_s


class LoginThrottle(ClientAndAddressThrottle):
    address_rate = "login_address"


class MailThrottle(ClientAndAddressThrottle):
    address_rate = "mail_address"


def _address_in(request: Request) -> str:
    if request.user.is_authenticated:
        return request.user.email
    address = request.data.get("email") if isinstance(request.data, dict) else None
    return address if isinstance(address, str) else ""
