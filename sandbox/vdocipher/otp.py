"""One-time passwords: issued with their rules, redeemed once by the player
(https://www.vdocipher.com/docs/server/playbackauth/)."""

import ast
import base64
import binascii
import ipaddress
import json
import re
import secrets
import string
import time
from typing import Any

from sandbox.context import SandboxContext
from sandbox.vdocipher.library import READY, VIDEOS, Library

OTPS = "vdocipher.otps"
OTP_PREFIX = "20160313versASE3"
OTP_LENGTH = 64
DEFAULT_TTL_S = 6 * 3600
LONGEST_TTL_S = 30 * 366 * 24 * 3600
ALPHANUMERIC = string.ascii_letters + string.digits
USER_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
COUNTRY = re.compile(r"[A-Z]{2}")


class RefusedOtp(Exception):
    """An OTP request that the host does not accept; the message is the answer's."""


class LicenceError(Exception):
    """Why the player does not play; codes of https://www.vdocipher.com/docs/drm/player/license-errors."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"Error {code}: {text}")
        self.code = code
        self.text = text


def issue(context: SandboxContext, video: dict[str, Any], body: Any) -> dict[str, str]:
    """{otp, playbackInfo} for one viewing of a ready video; raises RefusedOtp."""
    if video["status"] != READY:
        raise RefusedOtp(f"Video is not ready for playback: {video['status']}")
    rules = _rules(body)
    otp = OTP_PREFIX + "".join(secrets.choice(string.digits) for _ in range(2))
    otp += "".join(secrets.choice(ALPHANUMERIC) for _ in range(OTP_LENGTH - len(otp)))
    record = rules | {"otp": otp, "video_id": video["id"], "used": False, "expires_at": time.time() + rules["ttl"]}
    context.store.put(OTPS, otp, record)
    return {"otp": otp, "playbackInfo": playback_info(video["id"])}


def playback_info(video_id: str) -> str:
    """What names the video beside its OTP: plain base64, no secret."""
    return base64.b64encode(json.dumps({"videoId": video_id}, separators=(",", ":")).encode()).decode()


def redeem(library: Library, otp: str, info: str, *, referrer_host: str, address: str) -> dict[str, Any]:
    """Use up an OTP and give {video, watermark}; raises LicenceError and then leaves an unused OTP unused."""
    store = library.context.store
    if not otp or not info:
        raise LicenceError(60072017, "no OTP or playback info was given to the player.")
    with store.lock:
        record = store.get(OTPS, otp)
        if record is None:
            raise LicenceError(2017, "authentication token missing; this OTP is not known here.")
        if _video_id(info) != record["video_id"]:
            raise LicenceError(2020, "this OTP belongs to another video.")
        if record["used"]:
            raise LicenceError(2013, "time expired; this OTP was used already, and every load needs a new one.")
        if time.time() > record["expires_at"]:
            raise LicenceError(2013, "time expired; this OTP is too old.")
        _check_place(record, referrer_host, address)
        video = store.get(VIDEOS, record["video_id"])
        if video is None:
            raise LicenceError(2025, "the video has been deleted.")
        store.put(OTPS, otp, record | {"used": True})
    return {"video": video, "watermark": record["watermark"]}


def forget_expired(context: SandboxContext) -> None:
    """Drop what expired more than a day ago."""
    for record in context.store.values(OTPS):
        if record["expires_at"] < time.time() - 86_400:
            context.store.delete(OTPS, record["otp"])


def _video_id(info: str) -> str | None:
    try:
        decoded = json.loads(base64.b64decode(info, validate=True))
    except (binascii.Error, ValueError):
        return None
    return decoded.get("videoId") if isinstance(decoded, dict) else None


def _check_place(record: dict[str, Any], referrer_host: str, address: str) -> None:
    allowed = record["whitelisthref"]
    if allowed and not (referrer_host and re.search(allowed, referrer_host)):
        raise LicenceError(2014, f"domain not allowed: {referrer_host or 'no referrer was sent'}.")
    rules = record["ip_geo"]
    excepted = _names(rules.get("except", []), address)
    listed = _names(rules.get("allow", rules.get("block", [])), address) and not excepted
    if rules and listed != ("allow" in rules):
        raise LicenceError(2015, f"IP or region blocked: {address}.")


def _names(members: list[Any], address: str) -> bool:
    """Whether a list of rules names this address; a nested list names it when all of its members do.

    The sandbox knows no countries: every viewer is taken to be in none.
    """
    return any(all(_names([part], address) for part in m) if isinstance(m, list) else m == address for m in members)


def _rules(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise RefusedOtp("Bad request: the body must be a JSON object")
    ttl = body.get("ttl", DEFAULT_TTL_S)
    if not isinstance(ttl, int) or isinstance(ttl, bool) or not 0 < ttl <= LONGEST_TTL_S:
        raise RefusedOtp("Bad request: ttl must be a positive integer of seconds")
    user_id = body.get("userId")
    if user_id is not None and not (isinstance(user_id, str) and USER_ID.fullmatch(user_id)):
        raise RefusedOtp("Bad request: userId must be at most 36 characters of A-Z, a-z, 0-9, _ and -")
    for name in ("licenseRules", "ipGeoRules"):
        if name in body and not isinstance(body[name], str):
            raise RefusedOtp(f"Bad request: {name} must be a string that holds JSON")
    if "licenseRules" in body and not isinstance(_json(body["licenseRules"]), dict):
        raise RefusedOtp("Bad request: licenseRules must hold a JSON object")
    if "ipGeoRules" in body and not isinstance(_json(body["ipGeoRules"]), list):
        raise RefusedOtp("Bad request: ipGeoRules must hold a JSON array")
    return {
        "ttl": ttl,
        "user_id": user_id,
        "watermark": _watermark(body.get("annotate")),
        "whitelisthref": _whitelist(body.get("whitelisthref")),
        "ip_geo": _ip_geo(body.get("ipGeo")),
    }


def _watermark(annotate: Any) -> list[dict[str, Any]]:
    """The items to draw. Anything but a string is taken and silently draws nothing, as the documentation warns."""
    if not isinstance(annotate, str):
        return []
    items = _json(annotate)
    if items is None:
        items = _single_quoted(annotate)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RefusedOtp("Bad request: annotate must hold a JSON array of objects")
    for item in items:
        if item.get("type") not in ("rtext", "text", "image"):
            raise RefusedOtp("Bad request: annotate items have the type rtext, text or image")
    return items


def _single_quoted(text: str) -> Any:
    """The vendor's own examples write annotate with single quotes, and they work."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _whitelist(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RefusedOtp("Bad request: whitelisthref must be a string")
    try:
        re.compile(value)
    except re.error as error:
        raise RefusedOtp("Bad request: whitelisthref is not a regular expression") from error
    return value


def _ip_geo(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not set(value) <= {"allow", "block", "except"}:
        raise RefusedOtp("Bad request: ipGeo must be an object of allow or block, and except")
    if len({"allow", "block"} & set(value)) != 1:
        raise RefusedOtp("Bad request: ipGeo has either allow or block")
    for name, members in value.items():
        if not isinstance(members, list) or not all(_is_place(member) for member in members):
            raise RefusedOtp(f"Bad request: ipGeo.{name} lists IPv4 addresses and two-letter countries")
    return value


def _is_place(member: Any) -> bool:
    if isinstance(member, list):
        return all(_is_place(part) for part in member)
    if not isinstance(member, str):
        return False
    try:
        return bool(ipaddress.IPv4Address(member))
    except ValueError:
        return bool(COUNTRY.fullmatch(member))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
