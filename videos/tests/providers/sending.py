"""Uploads a file as a browser does it with a ticket, and waits for what the host makes of it."""

import base64
import dataclasses
import time
from urllib.parse import urljoin

import requests

from videos.providers.types import Status

PROCESSING_TIMEOUT_S = 30
TIMEOUT_S = 60
TUS = {"Tus-Resumable": "1.0.0"}


def send(ticket, content, *, site=""):
    """Upload with any kind of ticket that takes a file; `site` is scheme and host of a server of our own."""
    answer = {"form_post": _as_form, "tus": _by_tus, "put": _by_put, "s3_multipart": _in_parts}[ticket.kind](
        dataclasses.replace(ticket, **_absolute(ticket, site)), content
    )
    assert answer.status_code in (200, 201, 204), answer.text


def settle(provider, host_id):
    """The asset once the host has finished with it, or as it is after half a minute."""
    until = time.monotonic() + PROCESSING_TIMEOUT_S
    while True:
        info = provider.get_asset(host_id)
        if info.status not in (Status.WAITING, Status.PROCESSING) or time.monotonic() > until:
            return info
        time.sleep(0.1)


def _absolute(ticket, site):
    addresses = {name: getattr(ticket, name, "") for name in ("url", "upload_url", "endpoint")}
    return {name: urljoin(site, address) for name, address in addresses.items() if address}


def _in_parts(ticket, content):
    parts = [content[start : start + ticket.part_bytes] for start in range(0, len(content), ticket.part_bytes)]
    numbers = {"numbers": list(range(1, len(parts) + 1))}
    urls = requests.post(f"{ticket.url}parts/", json=numbers, timeout=TIMEOUT_S).json()["urls"]
    for number, part in enumerate(parts, start=1):
        assert requests.put(urls[str(number)], data=part, timeout=TIMEOUT_S).status_code == 200
    return requests.post(f"{ticket.url}complete/", json={}, timeout=TIMEOUT_S)


def _as_form(ticket, content):
    parts = [(name, (None, value)) for name, value in ticket.fields.items()]
    parts.append((ticket.file_field, ("film.webm", content, "video/webm")))
    return requests.post(ticket.url, files=parts, timeout=TIMEOUT_S)


def _by_put(ticket, content):
    return requests.put(ticket.url, data=content, headers=dict(ticket.headers), timeout=TIMEOUT_S)


def _by_tus(ticket, content):
    url = ticket.upload_url or _created_by_tus(ticket, content)
    for start in range(0, len(content), ticket.chunk_size):
        headers = {**TUS, "Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
        chunk = content[start : start + ticket.chunk_size]
        answer = requests.patch(url, data=chunk, headers={**ticket.headers, **headers}, timeout=TIMEOUT_S)
        assert answer.status_code == 204, answer.text
    return answer


def _created_by_tus(ticket, content):
    pairs = [f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in ticket.metadata.items()]
    headers = {**ticket.headers, **TUS, "Upload-Length": str(len(content)), "Upload-Metadata": ",".join(pairs)}
    answer = requests.post(ticket.endpoint, headers=headers, timeout=TIMEOUT_S)
    assert answer.status_code == 201, answer.text
    return requests.compat.urljoin(ticket.endpoint, answer.headers["Location"])
