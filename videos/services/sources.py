"""Addresses that a host is asked to fetch a video from: none that leads into a private net."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from videos import conf
from videos.providers.sockets import NameLookups
from videos.services.errors import InvalidRequest

PORTS = {80, 443, 8080, 8443}
LOOKUP_S = 4.0
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Python calls more of IPv6 global: site-local addresses, and IPv4 ones in further guises.
# https://www.iana.org/assignments/ipv6-address-space/
_GIVEN_OUT = ipaddress.ip_network("2000::/3")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


def check_source(url: str) -> None:
    """Let an address of a public web server pass.

    Http and https alone, no credentials, the ports 80, 443, 8080 and 8443, every address of the name on the public
    net; VIDEO_IMPORT_PRIVATE_HOSTS may be named besides. Raises InvalidRequest: `source_url_invalid`,
    `source_url_private`.
    """
    parts = _parts(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
        raise _invalid("Give an http or https address without user name and password.")
    if parts.hostname in conf.import_private_hosts():
        return
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    if port not in PORTS:
        raise _invalid(f"Only the ports {', '.join(map(str, sorted(PORTS)))} can be fetched from.")
    if not all(_is_public(address) for address in _addresses(parts.hostname, port)):
        raise InvalidRequest(
            "source_url_private", attr="source_url", detail="This address is not on the public internet."
        )


def _parts(url: str) -> SplitResult:
    if _UNSAFE.search(url):
        raise _invalid("The address holds characters that no address has.")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise _invalid("This is no web address.") from error
    return parts


def _addresses(host: str, port: int) -> list[str]:
    names = NameLookups()
    try:
        found = names.addresses(host, port, LOOKUP_S)
    except (OSError, UnicodeError) as error:
        raise _invalid("There is no server of this name.") from error
    finally:
        names.close()
    return [str(entry[4][0]) for entry in found]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    inner = _embedded(address) if isinstance(address, ipaddress.IPv6Address) else None
    if inner is not None:
        return _is_public(str(inner))
    if address.version == 6 and address not in _GIVEN_OUT:
        return False
    return address.is_global and not address.is_multicast


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside one of IPv6: mapped, 6to4, or NAT64 (RFC 6052)."""
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _invalid(detail: str) -> InvalidRequest:
    return InvalidRequest("source_url_invalid", attr="source_url", detail=detail)
