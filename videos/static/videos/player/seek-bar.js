/* Where the video is, what has arrived of it, and where to go. */
import { cueAt, loadCues, spriteOf } from "./cues.js";
import { clamp, clock, element, spoken } from "./dom.js";

export class SeekBar {
  element;
  #video;
  #range;
  #buffered;
  #played;
  #marks;
  #preview;
  #picture;
  #label;
  #sprites = [];
  #spriteBase = "";
  #chapters = [];
  #isScrubbing = false;
  #duration = () => 0;

  constructor(video, { duration }) {
    this.#video = video;
    this.#duration = duration;
    this.#range = element("input", {
      type: "range",
      min: "0",
      max: "1",
      step: "any",
      value: "0",
      "aria-label": "Position",
      className: "seek",
      part: "seek",
    });
    this.#buffered = element("div", { className: "buffered" });
    this.#played = element("div", { className: "played" });
    this.#marks = element("div", { className: "marks" });
    this.#picture = element("div", { className: "sprite", hidden: true });
    this.#label = element("span", { className: "preview-label" });
    this.#preview = element("div", { className: "preview", "aria-hidden": "true", hidden: true }, this.#picture, this.#label);
    const track = element("div", { className: "track" }, this.#buffered, this.#played, this.#marks);
    this.element = element("div", { className: "seek-bar" }, track, this.#range, this.#preview);
    this.#listen();
  }

  async useSprites(url) {
    this.#sprites = await loadCues(url);
    this.#spriteBase = url;
  }

  useChapters(chapters) {
    this.#chapters = chapters;
    this.refresh();
    const marks = chapters.filter(({ start }) => start > 0).map(({ start }) => placed(element("i"), start / this.#length()));
    this.#marks.replaceChildren(...marks);
  }

  refresh = () => {
    const length = this.#length();
    const at = this.#isScrubbing ? Number(this.#range.value) : this.#video.currentTime;
    this.#range.max = String(length || 1);
    this.#range.disabled = !length;
    if (!this.#isScrubbing) this.#range.value = String(at);
    this.#range.setAttribute("aria-valuetext", `${spoken(at)} of ${spoken(length)}`);
    this.#played.style.setProperty("width", percent(length ? at / length : 0));
  };

  #length() {
    return this.#duration();
  }

  #listen() {
    const range = this.#range;
    range.addEventListener("input", () => {
      this.#isScrubbing = true;
      this.#showPreview(Number(range.value));
      this.refresh();
    });
    range.addEventListener("change", () => {
      this.#isScrubbing = false;
      this.#video.currentTime = Number(range.value);
      this.#hidePreview();
    });
    range.addEventListener("pointermove", (event) => {
      if (!this.#isScrubbing) this.#showPreview(this.#at(event));
    });
    range.addEventListener("pointerleave", () => this.#hidePreview());
    for (const name of ["timeupdate", "durationchange", "seeking", "seeked"]) this.#video.addEventListener(name, this.refresh);
    for (const name of ["progress", "timeupdate", "seeked"]) this.#video.addEventListener(name, () => this.#showBuffered());
  }

  #at(event) {
    const { left, width } = this.#range.getBoundingClientRect();
    return clamp((event.clientX - left) / width, 0, 1) * this.#length();
  }

  #showBuffered() {
    const { buffered } = this.#video;
    const length = this.#length();
    if (!length) return;
    const parts = Array.from({ length: buffered.length }, (_, at) => {
      const part = placed(element("i"), buffered.start(at) / length);
      part.style.setProperty("width", percent((buffered.end(at) - buffered.start(at)) / length));
      return part;
    });
    this.#buffered.replaceChildren(...parts);
  }

  #showPreview(at) {
    const length = this.#length();
    if (!length) return;
    const chapter = cueAt(this.#chapters, at)?.text;
    this.#label.textContent = chapter ? `${clock(at)} · ${chapter}` : clock(at);
    const cue = cueAt(this.#sprites, at);
    this.#showSprite(cue && spriteOf(cue, this.#spriteBase));
    this.#preview.hidden = false;
    const half = this.#preview.offsetWidth / 2;
    const width = this.element.clientWidth;
    this.#preview.style.setProperty("left", `${clamp((at / length) * width, half, Math.max(half, width - half))}px`);
  }

  #showSprite(sprite) {
    this.#picture.hidden = !sprite;
    if (!sprite) return;
    const { style } = this.#picture;
    style.setProperty("width", `${sprite.width}px`);
    style.setProperty("height", `${sprite.height}px`);
    style.setProperty("background-image", `url("${quotable(sprite.url)}")`);
    style.setProperty("background-position", `-${sprite.x}px -${sprite.y}px`);
  }

  #hidePreview() {
    this.#preview.hidden = true;
  }
}

/** An address as it is, escapes and all, for quotes in CSS: an URL object has escaped all but this. */
export function quotable(address) {
  return address.replaceAll("\\", "%5C");
}

function placed(mark, share) {
  mark.style.setProperty("left", percent(share));
  return mark;
}

function percent(share) {
  return `${clamp(share, 0, 1) * 100}%`;
}
