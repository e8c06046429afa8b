/* What the keyboard does while the player has the focus. */
import { RATES } from "./controls.js";

const STEP_S = 5;
const JUMP_S = 10;
const VOLUME_STEP = 0.1;
const TYPED = "textarea, select, [contenteditable], input:not([type=range])"; // what a page laid inside the element
const MOVES = /^(Arrow|Page|Home|End)/;

const ACTIONS = {
  " ": (picture) => picture.toggle(),
  k: (picture) => picture.toggle(),
  j: (picture) => picture.seekBy(-JUMP_S),
  l: (picture) => picture.seekBy(JUMP_S),
  ArrowLeft: (picture) => picture.seekBy(-STEP_S),
  ArrowRight: (picture) => picture.seekBy(STEP_S),
  ArrowUp: (picture) => picture.setVolume(picture.video.volume + VOLUME_STEP),
  ArrowDown: (picture) => picture.setVolume(picture.video.volume - VOLUME_STEP),
  Home: (picture) => picture.seek(0),
  End: (picture) => picture.seek(picture.duration),
  m: (picture) => picture.toggleMute(),
  f: (picture) => picture.toggleFullscreen(),
  c: (picture) => picture.toggleCaptions(),
  "<": (picture) => picture.setRate(beside(picture.video.playbackRate, -1)),
  ">": (picture) => picture.setRate(beside(picture.video.playbackRate, 1)),
};

/** Does what a key means for `picture`; gives whether it means anything. */
export function press(picture, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.composedPath()[0];
  if (event.key === " " && target.matches?.("button, a")) return false; // It presses what has the focus.
  if (target.matches?.(TYPED) || (target.matches?.(".volume") && MOVES.test(event.key))) return false;
  const action = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (action) action(picture);
  else if (/^\d$/.test(event.key)) picture.seek((picture.duration * Number(event.key)) / 10);
  else return false;
  return true;
}

function beside(rate, step) {
  const at = RATES.findIndex((known) => known >= rate);
  return RATES[Math.min(Math.max(at + step, 0), RATES.length - 1)];
}
