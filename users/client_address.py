from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of whoever is talking to us, seen past the proxies of `TRUSTED_PROXIES` and no further.

    `TRUSTED_PROXIES` lists addresses and networks. `X-Forwarded-For` is read from the right, and only while the
    machine that wrote an entry is one of them: what a client writes there itself is never believed.
    """
    address = str(request.META.get("REMOTE_ADDR", ""))
    proxies = [ip_network(proxy, strict=False) for proxy in settings.TRUSTED_PROXIES]
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not _is_one_of(address, proxies) or not _is_address(hop.strip()):
            break
        address = hop.strip()
    return address


def _is_one_of(address: str, proxies: list[IPv4Network | IPv6Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in proxy for proxy in proxies)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
