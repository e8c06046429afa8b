/* What went wrong in a picture, in our words instead of a library's numbers. */

/**
 * `kind` is "licence" (a key was refused), "refused" (a playlist or a file was), "network", "unsupported" (by this
 * browser), "player" (the library did not load) or "media"; `code` is the server's or the library's.
 */
export class Failure extends Error {
  constructor(kind, { code = "", status = 0, cause } = {}) {
    super(`${kind} ${code}`.trim(), { cause });
    this.name = "Failure";
    this.kind = kind;
    this.code = code;
    this.status = status;
  }
}

// https://shaka-player-demo.appspot.com/docs/api/shaka.util.Error.html
const NETWORK = 1;
const DRM = 6;
const BAD_HTTP_STATUS = 1001;
const LICENCE_REQUEST_FAILED = 6007;
const NO_BROWSER_SUPPORT = new Set([
  4032, // no variant that this browser can play
  6000,
  6001, // no such key system here
  6002,
  6010,
  6012, // no licence server for the key systems of this browser
  6020,
]);
const REFUSALS = new Set([401, 403, 404, 409, 410]);

/** A Failure for an error of Shaka Player; `keyType` is its type of requests for a key in a playlist. */
export function failureOf(error, { keyType } = {}) {
  if (error instanceof Failure) return error;
  const { category, code, data = [] } = error;
  if (code === LICENCE_REQUEST_FAILED) return licenceFailure(data[0] ?? {}, error);
  if (NO_BROWSER_SUPPORT.has(code)) return new Failure("unsupported", { code: `E${code}`, cause: error });
  if (category === NETWORK) return networkFailure(error, keyType);
  const kind = category === DRM ? "licence" : "media";
  return new Failure(kind, { code: code ? `E${code}` : error.name, cause: error });
}

function licenceFailure({ code, data = [] }, cause) {
  if (code !== BAD_HTTP_STATUS) return new Failure("network", { code: `E${code}`, cause });
  const [, status, text, headers = {}] = data;
  return new Failure(status >= 500 ? "network" : "licence", { code: told(text, headers), status, cause });
}

function networkFailure(error, keyType) {
  const { code, data = [] } = error;
  const [, status, text, headers = {}, type] = data;
  if (code !== BAD_HTTP_STATUS || !REFUSALS.has(status)) return new Failure("network", { code: `E${code}`, cause: error });
  return new Failure(type === keyType ? "licence" : "refused", { code: told(text, headers), status, cause: error });
}

/** The code that the server gave, in the header of its licence door or in the body of its errors. */
function told(text, headers) {
  if (headers["x-licence-error"]) return headers["x-licence-error"];
  try {
    return JSON.parse(text).errors?.[0]?.code ?? "";
  } catch {
    return ""; // Nobody but our own doors says more than a status.
  }
}
