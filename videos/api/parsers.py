from rest_framework.parsers import JSONParser


class PlainTextJSONParser(JSONParser):
    """JSON sent as text/plain: what a page may still send across origins while it closes, without a preflight."""

    media_type = "text/plain"
