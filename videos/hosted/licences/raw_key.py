"""The key of AES-128 playlists: 16 bytes, as HLS has it. Encryption with access control, no DRM."""

from collections.abc import Mapping
from uuid import UUID

from videos.hosted.seams.licence import Challenge, KeyMaterial, LicenceAnswer


class RawKey:
    """A player loads the key from an address in the playlist: it asks for nothing and has no key system."""

    system = "aes128"
    key_system = ""
    schemes = ("aes128",)
    body_max_bytes = 0

    def read(self, body: bytes, content_type: str) -> Challenge:
        return Challenge(kids=(), body=body)

    def answer(self, challenge: Challenge, keys: Mapping[UUID, KeyMaterial], *, valid_s: int) -> LicenceAnswer:
        """The one key there is; a player keeps it for as long as it likes, whatever `valid_s` says."""
        (material,) = keys.values()
        return LicenceAnswer(body=material.key, content_type="application/octet-stream")
