/* Keeps a playback session alive while its video plays, and hears when it may not go on. */

import { resolved } from "./api.js";

const STOPPED_BY = [401, 403, 404, 409, 410];

/**
 * `session` is the grant's; `position()` gives seconds or a promise of them; `onStop(code, body)` runs once when the
 * server refuses the session. Errors of the network or the server are passed over: the next beat tries again.
 */
export class Heartbeat {
  #session;
  #position;
  #onStop;
  #seq = 0;
  #latest = 0;
  #timer = null;
  #over = false;

  constructor({ session, position, onStop }) {
    this.#session = session;
    this.#position = position;
    this.#onStop = onStop;
  }

  /** Beats now and then every `heartbeat_seconds`, until `pause` or the end. */
  start() {
    if (this.#over || this.#timer !== null) return;
    this.#timer = setInterval(() => this.beat(), this.#session.heartbeat_seconds * 1000);
    this.beat();
  }

  /** Stops the beats and tells the last position; the stream is given back once its lease runs out. */
  pause() {
    if (this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
    this.beat();
  }

  async beat({ keepalive = false } = {}) {
    if (this.#over) return;
    const position = Number(await this.#position()) || 0;
    if (this.#over) return;
    this.at(position);
    this.#seq += 1;
    try {
      const response = await this.#post(this.#session.heartbeat_url, { seq: this.#seq, position }, keepalive);
      const body = await response.json();
      if (body.ended) this.#stop("session_ended", body);
      else if (STOPPED_BY.includes(response.status)) this.#stop(body.errors?.[0]?.code ?? "session_ended", body);
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof SyntaxError)) throw error;
    }
  }

  /** Keeps where the video is, in seconds: a page that is being left cannot wait for the player to tell. */
  at(position) {
    if (position > 0) this.#latest = position;
  }

  /** Gives the stream back and tells the last known position; works while the page is being left. */
  end() {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    const address = this.#session.heartbeat_url.replace(/heartbeat\/$/, "end/");
    const report = this.#latest > 0 ? { seq: this.#seq + 1, position: this.#latest } : {};
    this.#post(address, report, true).catch(() => {}); // Nobody is left to tell; the lease ends by itself.
  }

  #stop(code, body) {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#timer);
    this.#onStop(code, body);
  }

  #post(address, body, keepalive) {
    return fetch(resolved(address), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: this.#session.token, ...body }),
      credentials: "omit",
      keepalive,
    });
  }
}
