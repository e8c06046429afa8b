"""What a teacher may choose for a file, in plain words."""

from videos.models import Protection, Quality
from videos.services.routing import offered_protections

_PROTECTIONS = {
    Protection.OPEN: "Open: not encrypted, for what anybody may have",
    Protection.ENCRYPTED: "Encrypted: played with a key that only viewers with access get",
    Protection.DRM: "DRM: the viewer's device guards the picture, too",
}
_QUALITIES = {
    "": "Medium, the usual",
    Quality.HIGH: "High: sharper, for fine print and code; larger and slower to prepare",
    Quality.MEDIUM: "Medium: up to 1080p",
    Quality.LOW: "Low: up to 720p; small and quickly prepared",
}
USUAL = "The strongest that the video host gives"
QUALITY_HELP = "Used where the video host leaves the choice to us."


def protection_choices(*, present="", usual=USUAL):
    """Pairs of value and words: what can be had by an upload now, and what is chosen at present."""
    offered = {*offered_protections(), present}
    return [("", usual), *((value, words) for value, words in _PROTECTIONS.items() if value in offered)]


def quality_choices():
    return list(_QUALITIES.items())
