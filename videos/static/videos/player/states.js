/*
 * What is shown in the picture's place, and what can be done about it.
 *
 * A state is `{name, title, detail?, actions?, sessions?, isAlert?}`; an action is `{does, label, waitS?}` where `does`
 * is "start", "sign-in" or "reload"; `sessions` are the viewer's other streams, each of which can be ended.
 */

export const READY_RETRY_S = 10;
export const READY_RETRIES = 3;

const again = (label = "Try again", waitS = null) => ({ does: "start", label, waitS });

export const LOADING = { name: "loading", title: "Preparing your video…" };
export const IDLE = { name: "idle", title: "" };

const FORBIDDEN = {
  not_enrolled: "It belongs to a course that you are not enrolled in.",
  enrollment_ended: "Your access to this course has ended.",
  tier_too_low: "It needs a higher membership.",
  email_unverified: "Verify your e-mail address first.",
  not_a_member: "It is for members.",
  session_revoked: "Your access to this course has ended.",
};

const REMOVED = {
  video_failed: "Its file could not be prepared. We know of it; please come back later.",
  video_deleted: "It was removed.",
  video_missing: "It has no file yet.",
};

/** Why a licence or a key was refused, by the code that came with the refusal. */
const LICENCE = {
  session_ended: "This viewing has ended. Start it again to go on where you were.",
  session_revoked: "Your access has ended.",
  too_many_streams: "All your streams are in use.",
  wrong_device: "This viewing was begun on another device, or in another browser.",
  token_used: "Its key was given out already. Start the video again.",
  token_expired: "Too much time passed before the video started. Start it again.",
  key_revoked: "Its key was withdrawn. The video has to be prepared anew.",
  package_gone: "It was prepared anew meanwhile. Start it again.",
  too_many_licences: "Its key was asked for too often. Wait a few minutes.",
  licence_unavailable: "The server that gives the key does not answer. Wait a little.",
  system_unsupported: "This browser's way of protection is not served.",
};

/** What to show for an answer of the playback door; `tried` is how often a video that is not ready was asked for. */
export function stateOfRefusal(refusal, { tried = 0 } = {}) {
  const { status, code, message, retryAfter } = refusal;
  if (code === "network") return OFFLINE;
  if (status === 425) return notReady(tried);
  if (code === "too_many_streams") return tooManyStreams(refusal);
  if (status === 401) {
    return { name: "signed-out", title: "Sign in to watch", actions: [{ does: "sign-in", label: "Sign in" }] };
  }
  if (status === 403) {
    return { name: "forbidden", title: "You cannot watch this video", detail: FORBIDDEN[code] ?? message, isAlert: true };
  }
  if (status === 404) return { name: "gone", title: "This video does not exist any more", isAlert: true };
  if (status === 409 || status === 410) {
    const detail = REMOVED[code] ?? "We know of it; please come back later.";
    return { name: "failed", title: "This video cannot be played", detail, isAlert: true };
  }
  if (status === 429) {
    return { name: "throttled", title: "One moment, please", detail: message, actions: [again(undefined, retryAfter)] };
  }
  return {
    name: "unavailable",
    title: "The video service does not answer",
    detail: "The video is fine; it is not reachable right now.",
    actions: [again(undefined, retryAfter)],
    isAlert: true,
  };
}

export const OFFLINE = {
  name: "offline",
  title: "No connection",
  detail: "The video goes on as soon as you are online again.",
  actions: [again()],
  isAlert: true,
};

function notReady(tried) {
  if (tried >= READY_RETRIES) {
    return {
      name: "not-ready",
      title: "Still being prepared",
      detail: "This video will be ready soon.",
      actions: [again("Check again")],
    };
  }
  return { name: "not-ready", title: "This video is being prepared", detail: `We look again in ${READY_RETRY_S} seconds.` };
}

function tooManyStreams({ body, retryAfter }) {
  const sessions = body?.sessions ?? [];
  return {
    name: "too-many-streams",
    title: "Too many streams",
    detail: "You are watching on as many devices as you may. End one of them to watch here.",
    sessions,
    actions: sessions.length ? [] : [again(undefined, retryAfter)],
    isAlert: true,
  };
}

/** The server refused to let a viewing go on. */
export function stateOfStop(code) {
  if (code === "session_revoked") {
    return { name: "revoked", title: "This video was stopped", detail: "Your access to it has ended.", isAlert: true };
  }
  if (code === "too_many_streams") {
    return {
      name: "elsewhere",
      title: "You are watching elsewhere",
      detail: "All your streams are in use.",
      actions: [again("Watch here")],
      isAlert: true,
    };
  }
  return {
    name: "ended-elsewhere",
    title: "This viewing has ended",
    detail: "Start it again to go on where you were.",
    actions: [again("Watch here")],
    isAlert: true,
  };
}

/** The picture itself failed; `failure` is what `stream.js` and `file.js` throw. */
export function stateOfFailure(failure) {
  const { kind, code, status } = failure;
  if (kind === "licence") {
    const detail = LICENCE[code] ?? "The licence server refused the key of this video.";
    const known = code && !LICENCE[code] ? ` (${code})` : "";
    return { name: "licence-refused", title: "The key was refused", detail: detail + known, actions: [again()], isAlert: true };
  }
  if (kind === "network") return { ...OFFLINE, name: "connection-lost", title: "The connection was lost" };
  if (kind === "unsupported") {
    return {
      name: "unsupported",
      title: "This browser cannot play this video",
      detail: "Its protection needs a newer browser, or another one.",
      isAlert: true,
    };
  }
  if (kind === "player") {
    return {
      name: "unavailable",
      title: "The player did not load",
      detail: "Check your connection, or whether something in your browser blocks it.",
      actions: [again()],
      isAlert: true,
    };
  }
  const told = [code, status].filter(Boolean).join(", ");
  return {
    name: "broken",
    title: "The video cannot be played",
    detail: told ? `The player reports ${told}.` : "The player met something it cannot read.",
    actions: [again()],
    isAlert: true,
  };
}

export function stateOfUnknownPlayer(player) {
  return {
    name: "unsupported",
    title: "This page has no player for this video",
    detail: `It needs the player “${player}”.`,
    isAlert: true,
  };
}
