/* The bar of buttons below our own picture. */
import { clock, element } from "./dom.js";
import { icon } from "./icons.js";
import { Menu } from "./menu.js";
import { SeekBar } from "./seek-bar.js";

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** What a picture says of its protection, in words that promise no more than it holds. */
const PROTECTIONS = {
  drm: { label: "Protected", picture: "lock", hint: "Protected by DRM: the keys stay inside this browser's protected player." },
  encrypted: {
    label: "Encrypted",
    picture: "lock",
    hint: "This video is encrypted, and only those who may watch it are given the key. That is not DRM: it stops no determined copying.",
  },
  open: { label: "Open", picture: "open", hint: "This video is not encrypted; its address is good for a short time alone." },
};

export class Controls {
  element;
  #picture;
  #video;
  #seekBar;
  #play;
  #mute;
  #volume;
  #time;
  #fullscreen;
  #protection;
  #captions;
  #speed;
  #quality;
  #chapters;

  constructor(picture) {
    this.#picture = picture;
    this.#video = picture.video;
    this.#seekBar = new SeekBar(picture.video, { duration: () => picture.duration });
    this.#build();
    this.#listen();
    this.refresh();
  }

  get seekBar() {
    return this.#seekBar;
  }

  focus() {
    this.#play.focus();
  }

  refresh = () => {
    const video = this.#video;
    const isEnded = video.ended;
    drawn(this.#play, isEnded ? "replay" : video.paused ? "play" : "pause", isEnded ? "Play again" : video.paused ? "Play" : "Pause");
    const isSilent = video.muted || video.volume === 0;
    drawn(this.#mute, isSilent ? "muted" : "volume", isSilent ? "Unmute" : "Mute");
    this.#volume.value = String(isSilent ? 0 : video.volume);
    this.#volume.setAttribute("aria-valuetext", `${Math.round(Number(this.#volume.value) * 100)} %`);
    this.#time.textContent = `${clock(video.currentTime)} / ${clock(this.#picture.duration)}`;
    this.#seekBar.refresh();
  };

  refreshMenus() {
    for (const menu of [this.#captions, this.#speed, this.#quality, this.#chapters]) menu.refresh();
  }

  showFullscreen(isFull) {
    drawn(this.#fullscreen, isFull ? "shrink" : "fullscreen", isFull ? "Leave full screen" : "Full screen");
  }

  /** `name` is the grant's `protection`; a picture that is not there yet claims nothing. */
  showProtection(name, isThere) {
    const { label, picture, hint } = PROTECTIONS[name] ?? PROTECTIONS.open;
    this.#protection.dataset.protection = isThere ? name : "loading";
    const words = element("span", { className: "protection-label", textContent: isThere ? label : "Loading…" });
    this.#protection.replaceChildren(icon(picture), words);
    this.#protection.setAttribute("aria-label", isThere ? `${label}: what does that mean?` : "Loading the video");
    this.#protection.onclick = isThere ? () => this.#picture.say(hint, { forS: 8 }) : null;
  }

  closeMenus() {
    for (const menu of [this.#captions, this.#speed, this.#quality, this.#chapters]) menu.close();
  }

  get hasOpenMenu() {
    return [this.#captions, this.#speed, this.#quality, this.#chapters].some((menu) => menu.isOpen);
  }

  #build() {
    const picture = this.#picture;
    this.#play = button("Play", "play", () => picture.toggle());
    this.#mute = button("Mute", "volume", () => picture.toggleMute());
    this.#volume = element("input", {
      type: "range",
      min: "0",
      max: "1",
      step: "0.05",
      className: "volume",
      "aria-label": "Volume",
    });
    this.#volume.addEventListener("input", () => picture.setVolume(Number(this.#volume.value)));
    this.#time = element("span", { className: "time", part: "time", "aria-hidden": "true" });
    this.#protection = element("button", { type: "button", className: "control protection", part: "protection" });
    this.#menus();
    const pip = button("Picture in picture", "pip", () => picture.togglePictureInPicture());
    pip.classList.add("pip");
    pip.hidden = !picture.hasPictureInPicture;
    this.#fullscreen = button("Full screen", "fullscreen", () => picture.toggleFullscreen());
    const row = element(
      "div",
      { className: "row" },
      ...[this.#play, this.#mute, this.#volume, this.#time, element("span", { className: "gap" }), this.#protection],
      ...[this.#chapters, this.#captions, this.#speed, this.#quality].map((menu) => menu.element),
      ...[pip, this.#fullscreen],
    );
    this.element = element("div", { className: "controls", role: "group", "aria-label": "Video controls", part: "controls" });
    this.element.append(this.#seekBar.element, row);
  }

  #menus() {
    const picture = this.#picture;
    this.#captions = new Menu({ name: "Captions", icon: "captions", choices: () => picture.captionChoices() });
    this.#speed = new Menu({
      name: "Speed",
      icon: "speed",
      choices: () =>
        RATES.map((rate) => ({
          label: rate === 1 ? "Normal" : `${rate}×`,
          isChosen: this.#video.playbackRate === rate,
          choose: () => picture.setRate(rate),
        })),
    });
    // One quality and "Auto" are no choice.
    this.#quality = new Menu({ name: "Quality", icon: "settings", choices: () => picture.qualityChoices(), least: 3 });
    this.#chapters = new Menu({ name: "Chapters", icon: "chapters", choices: () => picture.chapterChoices() });
  }

  #listen() {
    const names = ["play", "pause", "ended", "volumechange", "timeupdate", "durationchange", "loadedmetadata", "seeked"];
    for (const name of names) this.#video.addEventListener(name, this.refresh);
    this.#video.addEventListener("ratechange", () => this.#speed.refresh());
  }
}

function button(name, picture, press) {
  const made = element("button", { type: "button", className: "control" });
  drawn(made, picture, name);
  made.addEventListener("click", press);
  return made;
}

function drawn(made, picture, name) {
  if (made.dataset.icon === picture && made.title === name) return;
  made.dataset.icon = picture;
  made.title = name;
  made.setAttribute("aria-label", name);
  made.replaceChildren(icon(picture));
}
