/* One viewing: what is played is told to the server, which says when it may not go on. */
import { Heartbeat } from "./heartbeat.js";
import { PlayedStretches } from "./played.js";

const RESUME_MARGIN_S = 10;
const RESUME_MARGIN_SHARE = 0.05;

/** Where to begin, in seconds: where the viewer was, unless that is close to the start or the end. */
export function startOf({ resume_position: position, duration }) {
  const margin = Math.min(RESUME_MARGIN_S, (duration || Infinity) * RESUME_MARGIN_SHARE);
  return position > margin && !(duration && position > duration - margin) ? position : 0;
}

/**
 * Follows `video`, anything with the properties (or promises of them) and events of an HTMLMediaElement; null for a
 * player that cannot be steered. `jumpTo` is where the viewer wants to begin, 0 when the player begins there itself.
 * `onSeen({coverage, completed})` hears each answer, `onTime({position, watched})` each step, `onStop(code)` the end.
 */
export class Viewing {
  #heartbeat;
  #video;

  constructor({ session, video, quality, jumpTo, onSeen, onTime, onStop }) {
    const played = new PlayedStretches();
    this.#video = video;
    this.#heartbeat = new Heartbeat({
      session,
      position: async () => (video ? video.currentTime : 0),
      report: () => (video ? { played: played.take(), qoe: quality.report() } : {}),
      onAnswer: onSeen,
      onStop,
    });
    if (!video) {
      this.#heartbeat.start();
      return;
    }
    quality.watch(video);
    this.#follow(played, onTime);
    if (jumpTo) this.#beginAt(jumpTo);
  }

  /** Tells the server what the viewer did beside watching, `{kind, target?}`. */
  tell(event) {
    return this.#heartbeat.tell(event);
  }

  /** The page is hidden and may not come back. */
  hide() {
    if (this.#video) this.#heartbeat.beat({ keepalive: true });
  }

  end() {
    this.#heartbeat.end();
  }

  #follow(played, onTime) {
    const video = this.#video;
    const heartbeat = this.#heartbeat;
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
      onTime({ position, watched: played.totalS });
    });
  }

  #beginAt(seconds) {
    let isThere = false;
    // The first of these events that is heard: the video may have its metadata before this page listens.
    for (const name of ["loadedmetadata", "play", "timeupdate"]) {
      this.#video.addEventListener(name, () => {
        if (!isThere) this.#video.currentTime = seconds;
        isThere = true;
      });
    }
  }
}
