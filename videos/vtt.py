"""WebVTT that every player takes: checked, and reduced to cues of plain markup (https://www.w3.org/TR/webvtt1/)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CUES = 20_000
_ARROW = "-->"
_TIME = re.compile(r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})")
_TIMES = re.compile(rf"[ \t]*({_TIME.pattern})[ \t]*-->[ \t]*({_TIME.pattern})(?:[ \t]+(.*))?")
_COMMA_TIME = re.compile(r"\d{1,2}:\d{2}:\d{2},\d{1,3}\s*-->")
_SETTINGS = {
    "vertical": re.compile(r"rl|lr"),
    "line": re.compile(r"-?\d{1,4}(\.\d{1,3})?%?(,(start|center|end))?"),
    "position": re.compile(r"\d{1,3}(\.\d{1,3})?%(,(line-left|center|line-right))?"),
    "size": re.compile(r"\d{1,3}(\.\d{1,3})?%"),
    "align": re.compile(r"start|center|end|left|right"),
}
_NAMED_TAG = re.compile(r"(/?)(c|i|b|u|ruby|rt|v|lang)((?:\.[\w-]+)*)(?:[ \t\n]+([^<>]*))?", re.ASCII)
_MARKUP = re.compile(r"<([^<>]*)>|<|>|&(?![a-zA-Z]{2,8};|#\d{1,7};|#[xX][0-9a-fA-F]{1,6};)")
_ANNOTATED = ("v", "lang")
_DROPPED_BLOCKS = ("STYLE", "REGION", "NOTE")


class VttError(Exception):
    """Text that is no usable WebVTT. `code` is `caption_invalid` or `caption_is_srt`, `line` counts from 1."""

    def __init__(self, detail: str, *, line: int, code: str = "caption_invalid") -> None:
        super().__init__(detail)
        self.detail, self.line, self.code = detail, line, code


@dataclass(frozen=True, kw_only=True)
class _Block:
    line: int
    lines: list[str]


def normalise(body: bytes) -> str:
    """The captions as clean WebVTT: UTF-8, LF, header, cues in order, hours written out.

    Styles, regions and notes are left out, so is every tag but `c i b u ruby rt v lang` and times, and every cue
    setting that is unknown. Raises VttError for what is no WebVTT, holds no cue or a cue that cannot be shown.
    """
    lines = _lines(body)
    blocks = list(_blocks(lines))
    cues = [cue for block in blocks for cue in _cue(block)]
    if not cues:
        raise VttError("There is not one cue in this file.", line=len(lines))
    if len(cues) > MAX_CUES:
        raise VttError(f"There are more than {MAX_CUES} cues in this file.", line=len(lines))
    cues.sort(key=lambda cue: cue[:2])
    return "WEBVTT\n\n" + "\n".join(text for _, _, text in cues)


def _lines(body: bytes) -> list[str]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise VttError("The file is not UTF-8: save it again in this encoding.", line=line) from None
    lines = text.replace("\0", "\ufffd").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not re.fullmatch(r"WEBVTT([ \t].*)?", lines[0]):
        _refuse_srt(lines)
        raise VttError('The first line must be "WEBVTT".', line=1)
    return lines


def _refuse_srt(lines: list[str], *, first: int = 1) -> None:
    for number, line in enumerate(lines, start=first):
        if _COMMA_TIME.match(line.strip()):
            raise VttError("This is SubRip (SRT): save the captions as WebVTT.", line=number, code="caption_is_srt")


def _blocks(lines: list[str]) -> Iterator[_Block]:
    """What stands between empty lines, after the header's own block."""
    start, collected = 1, []
    is_header = True
    for number, line in enumerate([*lines[1:], ""], start=2):
        if line:
            collected.append(line)
            continue
        # A cue may follow the header's line without an empty one between.
        if collected and not (is_header and not any(_ARROW in line for line in collected)):
            yield _Block(line=start + 1, lines=collected)
        is_header, start, collected = False, number, []


def _cue(block: _Block) -> Iterator[tuple[int, int, str]]:
    first = block.lines[0]
    at = next((index for index, line in enumerate(block.lines) if _ARROW in line), None)
    is_dropped = any(first == word or first.startswith((f"{word} ", f"{word}\t")) for word in _DROPPED_BLOCKS)
    if is_dropped and at != 0:
        return
    if at is None or at > 1:
        raise VttError("Times were expected here, such as 00:01.000 --> 00:04.000.", line=block.line)
    line = block.line + at
    times = _TIMES.fullmatch(block.lines[at])
    if times is None:
        _refuse_srt(block.lines, first=block.line)
        raise VttError("These times cannot be read: write 00:01.000 --> 00:04.000.", line=line)
    start_ms, end_ms = _milliseconds(*times.group(2, 3, 4, 5)), _milliseconds(*times.group(7, 8, 9, 10))
    if end_ms <= start_ms:
        raise VttError("The cue ends before it starts.", line=line)
    for number, further in enumerate(block.lines[at + 1 :], start=line + 1):
        if _ARROW in further:
            raise VttError("An empty line is missing between two cues.", line=number)
    text = _payload(block.lines[at + 1 :])
    if text:
        settings = "".join(f" {setting}" for setting in _settings(times.group(11) or ""))
        yield start_ms, end_ms, f"{_written(start_ms)} --> {_written(end_ms)}{settings}\n{text}\n"


def _milliseconds(hours: str | None, minutes: str, seconds: str, thousandths: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths)


def _written(ms: int) -> str:
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def _settings(written: str) -> Iterator[str]:
    seen = set()
    for setting in written.split():
        name, _, value = setting.partition(":")
        if name in _SETTINGS and name not in seen and _SETTINGS[name].fullmatch(value):
            seen.add(name)
            yield setting


def _payload(lines: list[str]) -> str:
    text = _MARKUP.sub(_clean_markup, "\n".join(lines))
    # An empty line, which a removed tag may have left, would end the cue.
    return "\n".join(line for line in text.split("\n") if line.strip())


def _clean_markup(found: re.Match[str]) -> str:
    """One tag, or a sign that stands alone, as it may stay."""
    inner = found.group(1)
    if inner is None:
        return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}[found.group()]
    if _TIME.fullmatch(inner):
        return f"<{inner}>"
    tag = _NAMED_TAG.fullmatch(inner)
    if tag is None:
        return ""
    slash, name, classes, annotation = tag.groups()
    if slash:
        return f"</{name}>"
    spoken = " ".join((annotation or "").split()) if name in _ANNOTATED else ""
    return f"<{name}{classes}{' ' + spoken if spoken else ''}>"
