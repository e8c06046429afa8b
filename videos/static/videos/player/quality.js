/* How well the video plays: time to the first picture, waits in the middle, errors. Counted up from the start. */

export class QualityWatch {
  #begunAt;
  #startupMs = null;
  #stalledAt = null;
  #stallCount = 0;
  #stallMs = 0;
  #errorCount = 0;
  #isSeeking = false;
  #now;

  constructor(now = () => performance.now()) {
    this.#now = now;
    this.#begunAt = now();
  }

  /** Listens to a player that has the events of an HTMLMediaElement. */
  watch(video) {
    video.addEventListener("seeking", () => {
      this.#isSeeking = true;
    });
    video.addEventListener("seeked", () => {
      this.#isSeeking = false;
    });
    video.addEventListener("waiting", () => this.waits());
    video.addEventListener("pause", () => this.rests());
    for (const name of ["playing", "timeupdate"]) video.addEventListener(name, () => this.plays());
    video.addEventListener("error", () => this.fails());
  }

  fails() {
    this.#errorCount += 1;
  }

  plays() {
    this.#startupMs ??= Math.round(this.#now() - this.#begunAt);
    this.rests();
  }

  /** A wait is over, also when the viewer gives up on it. */
  rests() {
    this.#stallMs += this.#waitedMs();
    this.#stalledAt = null;
  }

  #waitedMs() {
    return this.#stalledAt === null ? 0 : Math.round(this.#now() - this.#stalledAt);
  }

  /** A wait before the first picture belongs to the start, one after a jump to the viewer's wish. */
  waits() {
    if (this.#startupMs === null || this.#isSeeking || this.#stalledAt !== null) return;
    this.#stallCount += 1;
    this.#stalledAt = this.#now();
  }

  /** What a heartbeat carries as `qoe`; milliseconds and counts since the start, a wait that goes on included. */
  report() {
    const stallMs = this.#stallMs + this.#waitedMs();
    const counters = { stall_count: this.#stallCount, stall_ms: stallMs, error_count: this.#errorCount };
    return this.#startupMs === null ? counters : { startup_ms: this.#startupMs, ...counters };
  }
}
