/* Reports of a session on their way: kept in the browser until the server has taken each, in order. */
const PREFIX = "11tutors.beats.";
const KEPT_MAX = 1000;
const KEPT_MS = 24 * 3600 * 1000; // a session's token lives a day
const PATIENCE_MS = 20_000; // a report that hangs holds up all that follow
const MANY_REQUESTS = 429;

/**
 * A report that may have arrived is sent again under its own `seq`, which the server counts once; so nothing that was
 * watched is lost when the connection or the page goes away, and nothing counts twice.
 */
export class BeatQueue {
  #key;
  #kept;
  #sending = null;

  constructor(id, kept) {
    this.#key = PREFIX + id;
    this.#kept = kept;
  }

  static of(session) {
    return new BeatQueue(session.id, { url: session.heartbeat_url, token: session.token, at: Date.now(), reports: [] });
  }

  /** What sessions before this page left behind is sent now; what is too old is forgotten. */
  static async sendLeftovers() {
    for (const key of keptKeys()) {
      const kept = parsed(localStorage.getItem(key));
      if (!kept || Date.now() - kept.at > KEPT_MS) localStorage.removeItem(key);
      else await new BeatQueue(key.slice(PREFIX.length), kept).send();
    }
  }

  add(report) {
    this.#kept.reports.push(report);
    if (this.#kept.reports.length > KEPT_MAX) this.#kept.reports.shift();
    this.#store();
  }

  /** Sends what is waiting, oldest first. Gives the last answer `{status, body}`, null when the server is not there. */
  send({ keepalive = false } = {}) {
    this.#sending ??= this.#sendAll(keepalive).finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  async #sendAll(keepalive) {
    let answer = null;
    while (this.#kept.reports.length) {
      const [report] = this.#kept.reports;
      answer = await this.#post(report, keepalive);
      if (answer === null || answer.status >= 500 || answer.status === MANY_REQUESTS) return null;
      this.#kept.reports = this.#kept.reports.filter((other) => other !== report);
      if (answer.status >= 400 && answer.status !== 400) this.#kept.reports = []; // refused: so will be the rest
      this.#store();
    }
    return answer;
  }

  async #post(report, keepalive) {
    try {
      const response = await fetch(this.#kept.url, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token: this.#kept.token, ...report }),
        credentials: "omit",
        keepalive,
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      return { status: response.status, body: await response.json() };
    } catch (error) {
      if (error instanceof TypeError || error instanceof SyntaxError || error.name === "TimeoutError") return null;
      throw error;
    }
  }

  #store() {
    try {
      if (this.#kept.reports.length) localStorage.setItem(this.#key, JSON.stringify(this.#kept));
      else localStorage.removeItem(this.#key);
    } catch (error) {
      console.warn("What was watched cannot be kept in this browser; it is sent from memory alone.", error);
    }
  }
}

function keptKeys() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  } catch {
    return []; // A frame in another site may have no storage at all.
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
