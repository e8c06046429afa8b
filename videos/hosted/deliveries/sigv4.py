"""AWS Signature Version 4 in the query of an address, for S3 and what speaks like it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
import hmac
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

from videos.hosted.seams.bucket import BucketAccess

VALID_MAX_S = 7 * 24 * 3600


class Presigner:
    """Signs addresses of one bucket for one method, as of `now`, good until `expires_at` (a week at most).

    Calling it is pure computation; what all addresses share is computed once.
    """

    def __init__(self, access: BucketAccess, *, method: str = "GET", now: datetime, expires_at: datetime) -> None:
        moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/{access.region}/s3/aws4_request"
        valid_s = min(max(math.ceil((expires_at - now).total_seconds()), 1), VALID_MAX_S)
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{access.access_key}/{scope}",
            "X-Amz-Date": moment,
            "X-Amz-Expires": str(valid_s),
        }
        if access.session_token:
            query["X-Amz-Security-Token"] = access.session_token
        self._query = _encoded(query | {"X-Amz-SignedHeaders": "host"})
        self._origin, self._path = access.origin, access.path
        self._method = method
        self._headers = f"\nhost:{access.origin.partition('://')[2]}\n\nhost\nUNSIGNED-PAYLOAD"
        self._to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n"
        self._keyed = hmac.new(_day_key(access.secret_key, moment[:8], access.region), digestmod=hashlib.sha256)

    def __call__(self, key: str, query: Mapping[str, str] | None = None) -> str:
        """The signed address of `key`. Names of `query` begin with a small letter, as all of S3's own do."""
        path = self._path + quote(key, safe="/~")
        asked = f"{self._query}&{_encoded(query)}" if query else self._query
        request = hashlib.sha256(f"{self._method}\n{path}\n{asked}{self._headers}".encode()).hexdigest()
        signature = self._keyed.copy()
        signature.update(f"{self._to_sign}{request}".encode())
        return f"{self._origin}{path}?{asked}&X-Amz-Signature={signature.hexdigest()}"


def _encoded(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items()))


@lru_cache(maxsize=32)
def _day_key(secret_key: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for step in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, step.encode(), hashlib.sha256)
    return key
