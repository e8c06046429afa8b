/* Which stretches of a video were really played, told from where the player says it is. */

const SLACK_S = 1;

/**
 * Feed it with `at` on every time update. A step forward that is no longer than the time that passed was played;
 * anything else was a jump, after which a new stretch begins.
 */
export class PlayedStretches {
  #stretches = [];
  #from = null;
  #to = null;
  #seenAt = 0;
  #totalS = 0;
  #now;

  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** The player is at `position` seconds and plays at `rate`. */
  at(position, rate = 1) {
    const seenAt = this.#now();
    const elapsed = (seenAt - this.#seenAt) / 1000;
    const step = position - this.#to;
    if (this.#from === null || step < 0 || step > elapsed * Math.max(rate, 1) * 1.25 + SLACK_S) this.#begin(position);
    else {
      this.#totalS += step;
      this.#to = position;
    }
    this.#seenAt = seenAt;
  }

  /** The player jumps or stands still: what comes next is a stretch of its own. */
  interrupt() {
    this.#begin(null);
  }

  /** Seconds played since the beginning, replays included. */
  get totalS() {
    return this.#totalS;
  }

  /** The stretches since the last call, `[[from, to], …]` in seconds; the one that goes on is split here. */
  take() {
    const position = this.#from === null ? null : this.#to;
    this.#begin(position);
    return this.#stretches.splice(0);
  }

  #begin(position) {
    if (this.#from !== null && this.#to > this.#from) {
      this.#stretches.push([rounded(this.#from), rounded(this.#to)]);
    }
    this.#from = position;
    this.#to = position;
  }
}

function rounded(seconds) {
  return Math.round(seconds * 1000) / 1000;
}
