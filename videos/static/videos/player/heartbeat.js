/* Keeps a playback session alive while its video plays, reports what was watched, hears when it may not go on. */
import { BeatQueue } from "./beats.js";

const STOPPED_BY = [401, 403, 404, 409, 410];

/**
 * `session` is the grant's, its `heartbeat_url` absolute; `position()` gives seconds or a promise of them; `report()`
 * the `{played, qoe}` since it was last asked. `onAnswer(body)` hears every answer, `onStop(code, body)` once that the
 * server refuses the session.
 */
export class Heartbeat {
  #session;
  #position;
  #report;
  #onAnswer;
  #onStop;
  #queue;
  #events = [];
  #seq = 0;
  #latest = 0;
  #timer = null;
  #over = false;

  constructor({ session, position, report = () => ({}), onAnswer = () => {}, onStop }) {
    this.#session = session;
    this.#position = position;
    this.#report = report;
    this.#onAnswer = onAnswer;
    this.#onStop = onStop;
    this.#queue = BeatQueue.of(session);
    addEventListener("online", this.#retry);
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
    this.#queue.add(this.#next(position));
    this.#hear(await this.#queue.send({ keepalive }));
  }

  /** Something the viewer did, `{kind, target?}`; it goes with a beat of its own. */
  tell(event) {
    this.#events.push({ position: this.#latest, ...event });
    return this.beat({ keepalive: true });
  }

  /** Keeps where the video is, in seconds: a page that is being left cannot wait for the player to tell. */
  at(position) {
    if (position > 0) this.#latest = position;
  }

  /** Gives the stream back with the last report; works while the page is being left. */
  end() {
    if (this.#over) return;
    this.#finish();
    const report = this.#next(this.#latest);
    this.#queue.add(report); // should the page die now, the next one sends it
    const address = this.#session.heartbeat_url.replace(/heartbeat\/$/, "end/");
    fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: this.#session.token, ...report }),
      credentials: "omit",
      keepalive: true,
    })
      .then(() => this.#queue.send({ keepalive: true }))
      .catch(() => {}); // Offline: the report is kept, and the lease ends by itself.
  }

  #next(position) {
    this.#seq += 1;
    return { seq: this.#seq, position, ...this.#report(), events: this.#events.splice(0) };
  }

  #hear(answer) {
    if (answer === null || this.#over) return;
    const { status, body } = answer;
    if (status < 300 && !body.ended) this.#onAnswer(body);
    else if (body.ended) this.#stop("session_ended", body);
    else if (STOPPED_BY.includes(status)) this.#stop(body.errors?.[0]?.code ?? "session_ended", body);
  }

  #stop(code, body) {
    this.#finish();
    this.#onStop(code, body);
  }

  #finish() {
    this.#over = true;
    clearInterval(this.#timer);
    removeEventListener("online", this.#retry);
  }

  #retry = async () => this.#hear(await this.#queue.send());
}
