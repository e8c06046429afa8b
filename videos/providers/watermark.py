"""The moving text that VdoCipher draws over a video, as its API wants it."""

import json
from collections.abc import Mapping
from types import MappingProxyType

STYLE: Mapping[str, str] = MappingProxyType({"alpha": "0.60", "color": "0xFF0000", "size": "15", "interval": "5000"})
STYLE_KEYS = frozenset({*STYLE, "skip"})


def annotate(text: str, style: Mapping[str, str]) -> str:
    """The value of `annotate` for one moving text: JSON inside a string, every member a string.

    `style` overrides members of STYLE: alpha, color, size, interval (ms between moves), skip (ms hidden).
    https://www.vdocipher.com/docs/server/playbackauth/anno/
    """
    members = {name: str(value) for name, value in {**STYLE, **style}.items()}
    return json.dumps([{"type": "rtext", "text": text, **members}])
