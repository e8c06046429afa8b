"""Signed playback (https://developers.cloudflare.com/stream/viewing-videos/securing-your-stream/)."""

import ipaddress
import json
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm

from sandbox.cloudflare import clock
from sandbox.cloudflare.account import Account
from sandbox.cloudflare.envelope import bad_request

LONGEST_S = 24 * 3600
USUAL_S = 3600
CLOCK_SKEW_S = 60
RULES_AT_MOST = 5
COUNTRY_OF_LOOPBACK = "XX"
UNSIGNED_CHECKS = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "sub", "iss", "jti")}


class RefusedToken(Exception):
    """Why nothing is played: 401 for the token itself, 403 when its rules exclude the viewer."""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


def is_token(reference: str) -> bool:
    return reference.count(".") == 2


def open_token(account: Account, token: str, address: str) -> str:
    """The uid of the video that a token opens for a viewer at this address; raises RefusedToken."""
    claims = _verified(account, token)
    now = clock.now()
    expires = _moment(claims, "exp")
    if expires is None or expires <= now:
        raise RefusedToken("The token has expired.")
    if expires > now + LONGEST_S + CLOCK_SKEW_S:
        raise RefusedToken("The token expires more than 24 hours ahead.")
    begins = _moment(claims, "nbf")
    if begins is not None and begins > now + CLOCK_SKEW_S:
        raise RefusedToken("The token is not valid yet.")
    rules = claims.get("accessRules") or []
    if not isinstance(rules, list) or len(rules) > RULES_AT_MOST:
        raise RefusedToken("The token's access rules cannot be read.")
    if not _allowed(rules, address):
        raise RefusedToken("The token's access rules exclude this viewer.", status=403)
    uid = claims.get("sub")
    if not isinstance(uid, str) or not uid:
        raise RefusedToken("The token names no video.")
    return uid


def issue(account: Account, uid: str, body: dict[str, Any]) -> str:
    """A token from the token endpoint, for an hour unless the body says otherwise; raises Refusal."""
    now = int(clock.now())
    expires, begins = body.get("exp", now + USUAL_S), body.get("nbf", now - USUAL_S)
    for name, value in (("exp", expires), ("nbf", begins)):
        if not isinstance(value, int) or isinstance(value, bool):
            raise bad_request(f"{name} must be unix seconds")
    if not now < expires <= now + LONGEST_S:
        raise bad_request("exp must be in the next 24 hours")
    jwk = account.own_jwk()
    claims = {"sub": uid, "kid": jwk["kid"], "exp": expires, "nbf": begins}
    claims |= {name: body[name] for name in ("downloadable", "accessRules", "flags") if name in body}
    return jwt.encode(claims, RSAAlgorithm.from_jwk(jwk), algorithm="RS256", headers={"kid": jwk["kid"]})


def _verified(account: Account, token: str) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
        jwk = account.public_jwk(str(header.get("kid", "")))
        if jwk is None:
            raise RefusedToken("The token's key is unknown or revoked.")
        key = RSAAlgorithm.from_jwk(json.dumps(jwk))
        return dict(jwt.decode(token, key, algorithms=["RS256"], options=UNSIGNED_CHECKS))
    except jwt.InvalidTokenError as error:
        raise RefusedToken("The token's signature does not match.") from error


def _moment(claims: dict[str, Any], name: str) -> float | None:
    """Unix seconds; the service's own sample token writes them as text."""
    value = claims.get(name)
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError) as error:
        raise RefusedToken(f"The token's {name} cannot be read.") from error


def _allowed(rules: list[Any], address: str) -> bool:
    """The first rule that matches decides; without one, the viewer may watch."""
    for rule in rules:
        if not isinstance(rule, dict) or rule.get("action") not in ("allow", "block"):
            raise RefusedToken("The token's access rules cannot be read.")
        if _matches(rule, address):
            return bool(rule["action"] == "allow")
    return True


def _matches(rule: dict[str, Any], address: str) -> bool:
    if rule.get("type") == "any":
        return True
    if rule.get("type") == "ip.geoip.country":
        return COUNTRY_OF_LOOPBACK in (rule.get("country") or ())
    if rule.get("type") != "ip.src":
        raise RefusedToken("The token's access rules cannot be read.")
    try:
        viewer = ipaddress.ip_address(address)
        return any(viewer in ipaddress.ip_network(network, strict=False) for network in rule.get("ip") or ())
    except ValueError as error:
        raise RefusedToken("The token's access rules cannot be read.") from error
