/* WebVTT as lists of cues: chapters, and the pictures on the timeline. */
const LINE = /^\s*((?:\d+:)?\d{1,2}:\d{2}[.,]\d{3})\s+-->\s+((?:\d+:)?\d{1,2}:\d{2}[.,]\d{3})/;
// https://www.w3.org/TR/webvtt1/#webvtt-cue-text-span
const ESCAPES = { amp: "&", lt: "<", gt: ">", nbsp: "\u00a0", lrm: "\u200e", rlm: "\u200f" };
const PART = /#xywh=(\d+),(\d+),(\d+),(\d+)$/;

/** `[{start, end, text}]`, in seconds. What is no cue is passed over. */
export function parseCues(vtt) {
  const cues = [];
  for (const block of vtt.replaceAll("\r\n", "\n").split(/\n\n+/)) {
    const lines = block.split("\n");
    const at = lines.findIndex((line) => LINE.test(line));
    if (at < 0) continue;
    const [, start, end] = lines[at].match(LINE);
    cues.push({ start: seconds(start), end: seconds(end), text: lines.slice(at + 1).join("\n").trim() });
  }
  return cues;
}

function seconds(stamp) {
  return stamp.replace(",", ".").split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** What a reader sees of a cue's text: without its tags, its escapes read. */
export function plain(text) {
  return text.replaceAll(/<[^>]*>/g, "").replaceAll(/&(amp|lt|gt|nbsp|lrm|rlm);/g, (_, name) => ESCAPES[name]).trim();
}

/** The cue that covers `at` seconds. */
export function cueAt(cues, at) {
  return cues.find(({ start, end }) => start <= at && at < end) ?? null;
}

/** What a cue of a sprite names: `{url, x, y, width, height}` in pixels; relative addresses are those of the file. */
export function spriteOf({ text }, base) {
  const found = text.match(PART);
  if (!found) return null;
  const [x, y, width, height] = found.slice(1).map(Number);
  return { url: new URL(text.replace(PART, ""), base).href, x, y, width, height };
}

/** The cues of a file at `url`; none when it cannot be had: a timeline does without them. */
export async function loadCues(url) {
  try {
    const response = await fetch(url, { credentials: "omit" });
    if (!response.ok) throw new Error(`${response.status}`);
    return parseCues(await response.text());
  } catch (error) {
    console.warn(`${url.split("?")[0]} cannot be read.`, error);
    return [];
  }
}
