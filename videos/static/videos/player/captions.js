/* The grant's captions as tracks of a video, above the bar of buttons. */
import { element } from "./dom.js";

const BAR_PX = 80;
const LINE_SHARE = 0.06; // of the picture's height: browsers set captions at a twentieth, and a little between lines

export class CaptionTracks {
  tracks;
  #video;
  #placed = new Set();
  #observer;

  constructor(video, captions, resolved) {
    this.#video = video;
    this.tracks = captions.map(({ language, label, url }) =>
      element("track", { kind: "captions", srclang: language, label, src: resolved(url) }),
    );
    for (const made of this.tracks) made.addEventListener("load", () => this.#loaded(made.track));
    video.append(...this.tracks);
    this.#observer = new ResizeObserver(() => this.#place());
    this.#observer.observe(video);
  }

  get shown() {
    return this.tracks.find(({ track }) => track.mode === "showing") ?? null;
  }

  /** Shows one of `tracks` alone; none with null. */
  show(chosen) {
    for (const made of this.tracks) made.track.mode = made === chosen ? "showing" : "disabled";
  }

  remove() {
    this.#observer.disconnect();
  }

  /** Only what its author left to the player is moved. */
  #loaded(track) {
    for (const cue of track.cues ?? []) if (cue.line === "auto") this.#placed.add(cue);
    this.#place();
  }

  #place() {
    const height = this.#video.clientHeight;
    const shown = this.shown?.track;
    if (!height || !shown) return;
    shown.mode = "hidden"; // a cue that is on the screen already stays where it is
    for (const cue of this.#placed) cue.line = -1 - Math.ceil(BAR_PX / (height * LINE_SHARE));
    shown.mode = "showing";
  }
}
