/* Asking the API for what a viewing needs. */

/** An answer other than 2xx, or none at all (`code` "network"). `retryAfter` is in seconds, null when not told. */
export class Refusal extends Error {
  constructor({ status = 0, code = "error", detail = "Something went wrong.", retryAfter = null, body = null, cause }) {
    super(detail, { cause });
    this.name = "Refusal";
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.body = body;
  }
}

/** `base` is the API's address, below which `videos/…` lies; `token({stale})` gives an access token or null; `headers`
 * go with each request. */
export class Api {
  #base;
  #token;
  #headers;

  constructor({ base, token, headers = {} }) {
    this.#base = new URL(base.endsWith("/") ? base : `${base}/`, document.baseURI);
    this.#token = token;
    this.#headers = headers;
  }

  /** An address that the API gave: relative ones are the API's own. */
  resolved(address) {
    return new URL(address, this.#base).href;
  }

  /** Posts JSON and gives JSON; asks once more with a fresh token after a 401. Throws Refusal. */
  async post(path, body) {
    const token = await this.#ask(null);
    let response = await this.#send(path, body, token);
    if (response.status === 401 && token) response = await this.#send(path, body, await this.#ask(token));
    return answered(response);
  }

  /** Who cannot tell the token has not signed anybody out: most likely it could not be fetched. */
  async #ask(stale) {
    try {
      return (await this.#token({ stale })) ?? null;
    } catch (cause) {
      console.warn("The page gave no access token.", cause);
      throw new Refusal({ code: "network", detail: "The server cannot be reached. Are you online?", cause });
    }
  }

  async #send(path, body, token) {
    const address = new URL(path, this.#base);
    const headers = { Accept: "application/json", "Content-Type": "application/json", ...this.#headers };
    if (token) headers.Authorization = `Bearer ${token}`;
    try {
      // Somebody who is not signed in is told apart by a cookie of the API.
      return await fetch(address, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
    } catch (cause) {
      throw new Refusal({ code: "network", detail: "The server cannot be reached. Are you online?", cause });
    }
  }
}

async function answered(response) {
  const body = await response.json().catch(() => null); // A proxy's error page is no JSON.
  if (response.ok && body) return body;
  throw new Refusal(refusalOf(response.status, body, response.headers.get("Retry-After")));
}

/** What a body of the API's errors says, for Refusal. */
export function refusalOf(status, body, retryAfter) {
  const [first] = Array.isArray(body?.errors) ? body.errors : [];
  return { status, code: first?.code, detail: first?.detail, body, retryAfter: secondsOf(retryAfter) };
}

function secondsOf(header) {
  if (!header) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}
