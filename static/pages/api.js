/* The public API: addresses, bearer tokens with rotation, and errors of one shape. */
import { clear, reread, save, tokens } from "./tokens.js";

const base = document.querySelector('meta[name="api-base"]')?.content ?? "/api/";

/** An answer other than 2xx, or none at all (`code` "network"). `retryAfter` is in seconds, null when not told. */
export class ApiError extends Error {
  constructor({ status = 0, errors = [], retryAfter = null, body = null }) {
    super(errors[0]?.detail ?? "Something went wrong.");
    this.name = "ApiError";
    this.status = status;
    this.errors = errors;
    this.code = errors[0]?.code ?? "error";
    this.retryAfter = retryAfter;
    this.body = body;
  }
}

export const get = (path, options) => request("GET", path, options);
export const post = (path, body = {}, options = {}) => request("POST", path, { ...options, body });
export const patch = (path, body, options = {}) => request("PATCH", path, { ...options, body });

/**
 * Asks the API and gives its JSON (null for an empty answer); throws ApiError.
 * `params` become the query, empty ones left out; `anonymous` sends no token; `cookies` lets the API's own cookies
 * come and go, such as the one that names the device of somebody who is not signed in.
 */
export async function request(method, path, { params, body, anonymous = false, cookies = false, signal } = {}) {
  const address = new URL(base + path, location.origin);
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value !== "" && value !== null && value !== undefined) address.searchParams.set(name, value);
  }
  const access = anonymous ? null : (tokens()?.access ?? null);
  const options = { signal, credentials: cookies ? "same-origin" : "omit" };
  let response = await send(method, address, body, access, options);
  if (response.status === 401 && access) {
    response = await send(method, address, body, await renew(access), options);
  }
  return unwrap(response);
}

/** The access token of whoever is signed in, or null: another one than `stale`, which the API refused. */
export async function accessToken({ stale = null } = {}) {
  return stale ? renew(stale) : (tokens()?.access ?? null);
}

export async function signIn(email, password) {
  const { access, refresh } = await post("users/token/", { email, password }, { anonymous: true });
  save({ access, refresh });
}

export async function signOut() {
  const refresh = tokens()?.refresh;
  clear();
  if (refresh) await post("users/token/blacklist/", { refresh }, { anonymous: true });
}

async function send(method, address, body, access, { signal, credentials = "omit" } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (access) headers.Authorization = `Bearer ${access}`;
  const content = body === undefined ? undefined : JSON.stringify(body);
  try {
    // "no-cache" asks the server every time, with the ETag of what is stored: fresh, and cheap on 304.
    return await fetch(address, { method, headers, body: content, signal, cache: "no-cache", credentials });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError({ errors: [{ code: "network", detail: "We cannot reach 11Tutors. Are you online?" }] });
  }
}

async function unwrap(response) {
  const text = await response.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new ApiError({ status: response.status, errors: [{ code: "malformed_answer" }] });
  }
  if (response.ok) return body;
  const errors = Array.isArray(body?.errors) ? body.errors : [];
  throw new ApiError({ status: response.status, errors, body, retryAfter: secondsUntil(response) });
}

function secondsUntil(response) {
  const header = response.headers.get("Retry-After");
  if (!header) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}

/*
 * A refresh token works once (it is rotated), so only one tab may use it: the first one to hold the lock asks, the
 * others find its answer. Web Locks need a secure context; without them one request per tab is the best there is.
 */
let renewing = null;

function renew(stale) {
  renewing ??= withLock(() => renewNow(stale)).finally(() => {
    renewing = null;
  });
  return renewing;
}

function withLock(work) {
  return navigator.locks ? navigator.locks.request("11tutors.renew", work) : work();
}

async function renewNow(stale) {
  const pair = reread();
  if (!pair) return null;
  if (pair.access !== stale) return pair.access;
  try {
    const address = new URL(`${base}users/token/refresh/`, location.origin);
    const answer = await unwrap(await send("POST", address, { refresh: pair.refresh }, null));
    save({ access: answer.access, refresh: answer.refresh ?? pair.refresh });
    return answer.access;
  } catch (error) {
    if (error.status !== 400 && error.status !== 401) throw error;
    clear();
    return null;
  }
}
