/*
 * The pair of bearer tokens of the signed-in person.
 *
 * It is kept in localStorage, so that a reload and a second tab stay signed in. A script injected into the page could
 * read it there, which is why these pages are sent with a Content-Security-Policy that runs no foreign script but the
 * video host's. A frontend with a server of its own does better to keep the refresh token in an HttpOnly cookie.
 */
const KEY = "11tutors.tokens";
const listeners = new Set();
let pair = read();

function read() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY));
    return stored?.access && stored?.refresh ? stored : null;
  } catch {
    return null;
  }
}

function changed(next) {
  const was = Boolean(pair);
  pair = next;
  if (was !== Boolean(next)) listeners.forEach((listener) => listener(Boolean(next)));
}

export function tokens() {
  return pair;
}

/** The pair as other tabs have left it. */
export function reread() {
  changed(read());
  return pair;
}

export function save(next) {
  localStorage.setItem(KEY, JSON.stringify(next));
  changed(next);
}

export function clear() {
  localStorage.removeItem(KEY);
  changed(null);
}

export function onSignInChange(listener) {
  listeners.add(listener);
}

addEventListener("storage", (event) => {
  if (event.key === KEY || event.key === null) changed(read());
});
