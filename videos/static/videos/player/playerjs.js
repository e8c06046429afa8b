/* player.js (https://github.com/embedly/player.js) with the properties and events of an HTMLMediaElement. */

const OWN_EVENTS = ["play", "pause", "ended", "seeked", "error"];

/** `player` is a `playerjs.Player`. It tells no jump that begins and no wait, so these are not seen. */
export class PlayerJsVideo extends EventTarget {
  paused = true;
  playbackRate = 1;
  #player;
  #position = 0;

  constructor(player) {
    super();
    this.#player = player;
    player.on("ready", () => {
      for (const name of OWN_EVENTS) player.on(name, () => this.#tell(name));
      player.on("timeupdate", ({ seconds }) => {
        this.#position = seconds;
        this.#tell("timeupdate");
      });
      this.#tell("loadedmetadata");
    });
  }

  get currentTime() {
    return this.#position;
  }

  set currentTime(seconds) {
    this.#position = seconds;
    this.#tell("seeking");
    this.#player.setCurrentTime(seconds);
  }

  async play() {
    this.#player.play();
  }

  pause() {
    this.#player.pause();
  }

  #tell(name) {
    // Players that begin by themselves may have said so before anybody listened.
    if (name === "play" || name === "timeupdate") this.paused = false;
    if (name === "pause" || name === "ended") this.paused = true;
    this.dispatchEvent(new Event(name));
  }
}
