// Why an upload failed, in words that somebody who teaches understands.

const NETWORK = "The connection was lost. Check your network, then try again.";
const TOO_LARGE = "The video host does not take a file this large.";
const FULL = "The storage at the video host is used up. Ask the platform's staff.";
const OVER = "The address to upload to is no longer valid. Try again to get a new one.";
const BUSY = "The video host does not answer at the moment. Try again in a while.";

const BY_STATUS = { 402: FULL, 403: OVER, 404: OVER, 410: OVER, 413: TOO_LARGE, 429: BUSY };
const BY_WORD = [
  [/EntityTooLarge|too large/i, TOO_LARGE],
  [/quota|storage capacity/i, FULL],
];

/** The reason of a failed transfer, and whether it takes a new ticket to try again. */
export function reasonOf(xhr) {
  const status = xhr?.status ?? 0;
  if (!status) return { text: NETWORK, needsTicket: false };
  const said = hostsMessage(xhr);
  const byWord = BY_WORD.find(([pattern]) => pattern.test(textOf(xhr)))?.[1];
  const own = byWord ?? BY_STATUS[status] ?? (status >= 500 ? BUSY : "The video host refused the file.");
  return { text: said ? `${own} (${said})` : own, needsTicket: status < 500 && status !== 429 && !xhr.keepsUpload };
}

/** What an error of an upload in parts tells of the answer behind it, as a request would; null when it tells nothing. */
export function answerBehind(error) {
  if (typeof error?.status !== "number") return null;
  const responseText = error.body ?? "";
  // A bucket refuses one request at a time (RequestTimeout, AccessDenied): what it has of the file it keeps.
  return { status: error.status, responseType: "", responseText, keepsUpload: /<Code>[A-Z]/.test(responseText) };
}

/** The first error of an answer of ours, and the field it is about. */
export async function answerOf(response) {
  if (response.redirected || !response.headers.get("Content-Type")?.includes("json")) {
    throw new Error(response.ok ? "You are signed out. Open this page again to sign in." : BUSY);
  }
  const body = await response.json();
  if (response.ok) return body;
  const error = body.errors?.[0];
  const field = error?.attr ? `${error.attr.replaceAll("_", " ")}: ` : "";
  throw new Error(error ? field + error.detail : BUSY);
}

function hostsMessage(xhr) {
  const text = textOf(xhr);
  const xml = /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
  if (xml) return xml;
  try {
    const body = JSON.parse(text);
    return String(body.errors?.[0]?.message ?? body.errors?.[0]?.detail ?? body.message ?? "").slice(0, 200);
  } catch {
    return text.length < 200 && !text.includes("<") ? text.trim() : "";
  }
}

function textOf(xhr) {
  return xhr.responseType === "" || xhr.responseType === "text" ? xhr.responseText : "";
}
