"""What an address says about where it leads."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Whether a web address leads to this machine, as those of local stand-ins do."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origins_of(*urls: str) -> tuple[str, ...]:
    """The distinct origins of web addresses, such as `https://player.vdocipher.com`; empty addresses are left out."""
    parts = [urlsplit(url) for url in urls if url]
    return tuple(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts if part.netloc))


def ipv4_or_none(ip: str) -> str | None:
    """The dotted IPv4 form of an address, also of an IPv4 address mapped into IPv6; None when it has none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped) if address.ipv4_mapped else None
    return str(address)
