/* One lesson's player: asks for a grant, mounts the host's player, keeps the session alive, explains every refusal. */
import { signInAddress } from "./account.js";
import { ApiError, post } from "./api.js";
import { BeatQueue } from "./beats.js";
import { deviceId } from "./device.js";
import { announce, find } from "./dom.js";
import { mountFile } from "./file-player.js";
import { clock } from "./format.js";
import { Heartbeat } from "./heartbeat.js";
import { mountIframe } from "./iframe-player.js";
import { PlayedStretches } from "./played.js";
import { hideNote, showNote, streamRow } from "./player-notes.js";
import { QualityWatch } from "./quality.js";
import { mountVdoCipher } from "./vdocipher.js";

const MOUNTS = { vdocipher: mountVdoCipher, iframe: mountIframe, file: mountFile };
const NOT_READY_RETRY_S = 10;
const NOT_READY_RETRIES = 3;
const RESUME_MARGIN_S = 10;

/** `onSeen({coverage, completed})` hears how much of the video the viewer has seen by now, on all devices. */
export class LessonPlayer {
  #videoId;
  #title;
  #onSeen;
  #retries = 0;
  #heartbeat = null;
  #mounted = null;
  #waiting = null;

  constructor({ videoId, title, onSeen = () => {} }) {
    this.#videoId = videoId;
    this.#title = title;
    this.#onSeen = onSeen;
    BeatQueue.sendLeftovers();
    addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden" && this.#mounted?.video) this.#heartbeat?.beat({ keepalive: true });
    });
    addEventListener("pagehide", () => this.#heartbeat?.end());
    addEventListener("pageshow", (event) => {
      if (event.persisted) this.start();
    });
  }

  start = () => this.#start({});

  /** Goes to `seconds` in the video that plays. */
  goTo(seconds) {
    if (this.#mounted?.video) this.#mounted.video.currentTime = seconds;
  }

  /** Tells the server what the viewer did beside watching, `{kind, target?}`; undefined while nothing is played. */
  tell(event) {
    return this.#heartbeat?.tell(event);
  }

  async #start(wishes) {
    clearTimeout(this.#waiting);
    this.#close();
    showNote({ title: "Preparing your video…" });
    const quality = new QualityWatch();
    try {
      const wanted = { device_id: deviceId(), ...wishes };
      const grant = await post(`videos/${this.#videoId}/playback/`, wanted, { cookies: true });
      await this.#play(grant, quality);
      this.#retries = 0;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#explain(error);
    }
  }

  async #play(grant, quality) {
    const mount = MOUNTS[grant.player];
    if (!mount) {
      showNote({ title: "This page has no player for this video", detail: `It needs the player “${grant.player}”.` });
      return;
    }
    const place = find("#player-frame");
    place.hidden = false;
    hideNote();
    this.#mounted = await mount(place, grant, this.#title);
    const { video } = this.#mounted;
    const played = new PlayedStretches();
    this.#heartbeat = new Heartbeat({
      session: grant.session,
      position: async () => (video ? video.currentTime : 0),
      report: () => (video ? { played: played.take(), qoe: quality.report() } : {}),
      onAnswer: this.#onSeen,
      onStop: this.#stopped,
    });
    find("#protection").textContent = grant.protection === "drm" ? "Protected video" : "";
    if (!video) {
      this.#heartbeat.start();
      return;
    }
    quality.watch(video);
    this.#follow(grant, played);
  }

  #follow(grant, played) {
    const { video } = this.#mounted;
    const heartbeat = this.#heartbeat;
    const watched = find("#watched");
    let isResumed = false;
    // The first of these events that is heard: the video may have its metadata before this page listens.
    for (const name of ["loadedmetadata", "play", "timeupdate"]) {
      video.addEventListener(name, () => {
        if (!isResumed) this.#resume(grant);
        isResumed = true;
      });
    }
    video.addEventListener("play", () => heartbeat.start());
    video.addEventListener("playing", () => heartbeat.start());
    for (const name of ["seeking", "pause", "ended"]) video.addEventListener(name, () => played.interrupt());
    video.addEventListener("pause", () => heartbeat.pause());
    video.addEventListener("seeked", () => heartbeat.beat());
    video.addEventListener("ended", () => heartbeat.pause());
    video.addEventListener("timeupdate", async () => {
      const position = await video.currentTime;
      heartbeat.at(position);
      if ((await video.paused) !== false) return;
      played.at(position, (await video.playbackRate) || 1);
      heartbeat.start();
      watched.hidden = false;
      watched.textContent = `${clock(played.totalS)} watched`;
    });
  }

  #resume({ resume_position: position, duration }) {
    const nearEnd = duration && position > duration - RESUME_MARGIN_S;
    if (position > RESUME_MARGIN_S && !nearEnd) this.#mounted.video.currentTime = position;
  }

  #stopped = (code) => {
    this.#close();
    const again = { label: "Watch here", run: this.start };
    if (code === "session_revoked") {
      showNote({ title: "This video was stopped", detail: "Your access to the course has ended." });
    } else if (code === "too_many_streams") {
      showNote({ title: "You are watching elsewhere", detail: "All your streams are in use.", actions: [again] });
    } else {
      showNote({ title: "This viewing has ended", detail: "Start it again to go on where you were.", actions: [again] });
    }
    announce("The video was stopped.");
  };

  #close() {
    this.#heartbeat?.end();
    this.#mounted?.remove();
    this.#heartbeat = null;
    this.#mounted = null;
    find("#player-frame").hidden = true;
    find("#watched").hidden = true;
  }

  #explain(error) {
    const retry = { label: "Try again", run: this.start, waitS: error.retryAfter };
    if (error.status === 425) this.#waitUntilReady();
    else if (error.code === "too_many_streams") this.#offerToEndAnother(error, retry);
    else if (error.status === 401) {
      showNote({ title: "Sign in to watch", actions: [{ label: "Sign in", href: signInAddress() }] });
    } else if (error.status === 403) showNote(refusal(error));
    else if (error.status === 404) showNote({ title: "This video does not exist any more" });
    else if (error.status === 409) showNote({ title: "This video cannot be played", detail: "We know of it; please come back later." });
    else if (error.status === 429) showNote({ title: "One moment, please", detail: error.message, actions: [retry] });
    else showNote({ title: "The video service does not answer", detail: "The lesson is fine; its video is not reachable right now.", actions: [retry] });
  }

  #offerToEndAnother({ body }, retry) {
    const sessions = body?.sessions ?? [];
    showNote({
      title: "Too many streams",
      detail: "You are watching on as many devices as you may. End one of them to watch here.",
      list: sessions.map((session) => streamRow(session, () => this.#start({ end: session.id }))),
      actions: sessions.length ? [] : [retry],
    });
  }

  #waitUntilReady() {
    if (this.#retries >= NOT_READY_RETRIES) {
      this.#retries = 0;
      const again = { label: "Check again", run: this.start };
      showNote({ title: "Still being prepared", detail: "This video will be ready soon.", actions: [again] });
      return;
    }
    this.#retries += 1;
    this.#waiting = setTimeout(this.start, NOT_READY_RETRY_S * 1000);
    showNote({ title: "This video is being prepared", detail: `We look again in ${NOT_READY_RETRY_S} seconds.` });
  }
}

function refusal(error) {
  const reasons = {
    not_enrolled: "It belongs to a course that you are not enrolled in.",
    enrollment_ended: "Your access to this course has ended.",
    tier_too_low: "It needs a higher membership.",
    email_unverified: "Verify your e-mail address first.",
    session_revoked: "Your access to this course has ended.",
  };
  return { title: "You cannot watch this video", detail: reasons[error.code] ?? error.message };
}
