/* Our own picture: a video with controls, captions, a watermark, and what hands do on it. */
import { CaptionTracks } from "./captions.js";
import { Controls } from "./controls.js";
import { loadCues, plain } from "./cues.js";
import { clamp, element } from "./dom.js";
import { icon } from "./icons.js";
import { press } from "./keys.js";
import { kept, keep } from "./wishes.js";
import { layWatermark } from "./watermark.js";

const REST_MS = 3000;

/** Fills `stage`; `host` is the element that goes full screen. `start()` begins once `use(media)` has told what plays. */
export class Picture {
  video;
  #stage;
  #host;
  #grant;
  #media = null;
  #controls;
  #hint;
  #begin;
  #captions;
  #chapters = [];
  #resting = null;
  #hinting = null;
  #unmark = () => {};
  #ending = new AbortController();

  constructor({ stage, host, grant, title, chapters, resolved }) {
    this.#stage = stage;
    this.#host = host;
    this.#grant = grant;
    this.video = element("video", {
      playsInline: true,
      disablePictureInPicture: Boolean(grant.hls?.watermark),
      crossOrigin: "anonymous",
      tabIndex: -1,
      part: "video",
      "aria-label": title,
    });
    this.video.setAttribute("controlslist", "nodownload noremoteplayback");
    if (grant.poster_url) this.video.poster = resolved(grant.poster_url);
    this.#captions = new CaptionTracks(this.video, grant.captions, resolved);
    this.#controls = new Controls(this);
    this.#begin = element("button", { type: "button", className: "begin", "aria-label": "Play", hidden: true }, icon("play"));
    this.#hint = element("p", { className: "hint", role: "status", part: "hint", hidden: true });
    stage.replaceChildren(this.video, this.#begin, this.#hint, this.#controls.element);
    stage.hidden = false;
    this.#listen();
    this.#wish();
    this.#controls.showProtection(grant.protection, false);
    if (grant.hls?.watermark) this.#unmark = layWatermark(stage, grant.hls.watermark);
    if (grant.hls?.sprite_url) this.#controls.seekBar.useSprites(resolved(grant.hls.sprite_url));
    if (chapters) this.#useChapters(resolved(chapters));
  }

  /** Seconds; as the grant says while the video itself has not told. */
  get duration() {
    return Number.isFinite(this.video.duration) ? this.video.duration : (this.#grant.duration ?? 0);
  }

  get hasPictureInPicture() {
    return Boolean(document.pictureInPictureEnabled) && !this.video.disablePictureInPicture;
  }

  use(media) {
    this.#media = media;
    media.onLevels = () => this.#controls.refreshMenus();
    this.#controls.refreshMenus();
  }

  /** Plays; without sound where the browser allows no other start that nobody pressed a button for. */
  async start() {
    try {
      await this.video.play();
    } catch (error) {
      if (error.name !== "NotAllowedError") return; // Paused again, or gone: both are told by events.
      await this.#startMuted();
    }
  }

  /** Waits for the viewer, who had paused. */
  rest() {
    this.#begin.hidden = false;
  }

  focus() {
    this.#controls.focus();
  }

  toggle() {
    if (this.video.paused || this.video.ended) this.start();
    else this.video.pause();
  }

  seek(seconds) {
    this.video.currentTime = clamp(seconds, 0, this.duration);
  }

  seekBy(seconds) {
    this.seek(this.video.currentTime + seconds);
  }

  setVolume(volume) {
    this.video.volume = clamp(Math.round(volume * 100) / 100, 0, 1);
    this.video.muted = this.video.volume === 0;
    keep({ volume: this.video.volume });
  }

  toggleMute() {
    this.video.muted = !this.video.muted;
    if (!this.video.muted && this.video.volume === 0) this.setVolume(0.5);
  }

  setRate(rate) {
    this.video.playbackRate = rate;
    this.say(`Speed ${rate}×`, { forS: 1.5 });
  }

  toggleCaptions() {
    const { tracks, shown } = this.#captions;
    const wanted = tracks.find(({ srclang }) => srclang === kept().captions) ?? tracks[0];
    if (wanted) this.#showCaptions(shown ? null : wanted);
  }

  captionChoices() {
    const { tracks, shown } = this.#captions;
    const off = { label: "Off", isChosen: !shown, choose: () => this.#showCaptions(null) };
    const choices = tracks.map((track) => ({
      label: track.label || track.srclang,
      isChosen: track === shown,
      choose: () => this.#showCaptions(track),
    }));
    return choices.length ? [off, ...choices] : [];
  }

  qualityChoices() {
    if (!this.#media) return [];
    const { height: current, isAutomatic } = this.#media.chosen;
    const auto = {
      label: isAutomatic && current ? `Auto (${current}p)` : "Auto",
      isChosen: isAutomatic,
      choose: () => this.#media.choose(null),
    };
    const levels = this.#media.levels().map((height) => ({
      label: `${height}p`,
      isChosen: !isAutomatic && height === current,
      choose: () => this.#media.choose(height),
    }));
    return [auto, ...levels];
  }

  chapterChoices() {
    const at = this.video.currentTime;
    return this.#chapters.map(({ start, end, text }) => ({
      label: text,
      isChosen: start <= at && at < end,
      choose: () => this.seek(start),
    }));
  }

  async togglePictureInPicture() {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await this.video.requestPictureInPicture();
  }

  async toggleFullscreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else if (this.#host.requestFullscreen) await this.#host.requestFullscreen();
    else this.video.webkitEnterFullscreen(); // iPhones show nothing but a video in full.
  }

  /** Says something over the picture, for `forS` seconds or until `say("")`. */
  say(text, { forS = 0 } = {}) {
    clearTimeout(this.#hinting);
    this.#hint.textContent = text;
    this.#hint.hidden = !text;
    if (text && forS) this.#hinting = setTimeout(() => this.say(""), forS * 1000);
  }

  async remove() {
    this.#ending.abort();
    this.#captions.remove();
    this.#unmark();
    this.#controls.closeMenus();
    clearTimeout(this.#resting);
    clearTimeout(this.#hinting);
    this.video.pause();
    await this.#media?.remove();
    this.video.remove();
  }

  /** Takes the picture off the screen at once, unless another is there; what it holds is given back by `remove`. */
  hide() {
    if (this.video.parentNode !== this.#stage) return;
    this.#stage.hidden = true;
    this.#stage.replaceChildren();
  }

  async #startMuted() {
    this.video.muted = true;
    try {
      await this.video.play();
      this.say("Playing without sound. Press M, or the loudspeaker below.", { forS: 6 });
    } catch (error) {
      if (error.name !== "NotAllowedError") return;
      this.#begin.hidden = false;
    }
  }

  #listen() {
    const { signal } = this.#ending;
    const { video } = this;
    this.#host.addEventListener("keydown", (event) => this.#keyed(event), { signal });
    this.#stage.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    for (const name of ["pointermove", "pointerdown", "click", "focusin"]) {
      this.#stage.addEventListener(name, (event) => this.#stirred(event), { signal });
    }
    this.#begin.addEventListener("click", () => this.start());
    video.addEventListener("pointerup", (event) => this.#touched(event));
    video.addEventListener("dblclick", () => this.toggleFullscreen());
    video.addEventListener("play", () => {
      this.#begin.hidden = true;
      this.#stir();
    });
    video.addEventListener("pause", () => this.#stir());
    video.addEventListener("loadeddata", () => this.#controls.showProtection(this.#grant.protection, true));
    video.addEventListener("waiting", () => this.#stage.setAttribute("data-waiting", ""));
    for (const name of ["playing", "canplay", "pause"]) {
      video.addEventListener(name, () => this.#stage.removeAttribute("data-waiting"));
    }
    document.addEventListener(
      "fullscreenchange",
      () => this.#controls.showFullscreen(document.fullscreenElement === this.#host),
      { signal },
    );
  }

  /** What the viewer wished last time. */
  #wish() {
    const { volume, captions } = kept();
    if (volume !== undefined) this.video.volume = clamp(volume, 0, 1);
    const wanted = this.#captions.tracks.find(({ srclang }) => srclang === captions);
    if (wanted) this.#captions.show(wanted);
  }

  #showCaptions(chosen) {
    this.#captions.show(chosen);
    keep({ captions: chosen?.srclang ?? "" });
    this.say(chosen ? `Captions: ${chosen.label || chosen.srclang}` : "Captions off", { forS: 1.5 });
    this.#controls.refreshMenus();
  }

  async #useChapters(url) {
    const cues = await loadCues(url);
    this.#chapters = cues.map((cue) => ({ ...cue, text: plain(cue.text) }));
    this.#controls.seekBar.useChapters(this.#chapters);
    this.#controls.refreshMenus();
  }

  #keyed(event) {
    if (event.defaultPrevented || !press(this, event)) return;
    event.preventDefault();
    this.#stir();
  }

  /** A finger first shows the controls; a mouse plays and pauses. */
  #touched(event) {
    if (event.button !== 0) return;
    if (this.#controls.hasOpenMenu) this.#controls.closeMenus();
    else if (event.pointerType === "mouse") this.toggle();
  }

  /** A finger shows the controls by its click alone: shown any sooner, the button below it would be pressed unseen. */
  #stirred({ type, pointerType }) {
    const isFinger = pointerType === "touch" && type !== "click";
    if (!isFinger || !this.#stage.hasAttribute("data-resting")) this.#stir();
  }

  /** Shows the controls, for a while when the video plays. */
  #stir() {
    this.#stage.removeAttribute("data-resting");
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#rest(), REST_MS);
  }

  #rest() {
    const isUsed = this.#controls.hasOpenMenu || this.#controls.element.querySelector(":focus-visible");
    if (this.video.paused || isUsed) return;
    this.#stage.setAttribute("data-resting", "");
  }
}
