/* What the viewer likes to have again: the volume, the language of captions. */
const KEY = "11tutors.player";

let wishes = read();

export function kept() {
  return wishes;
}

export function keep(changed) {
  wishes = { ...wishes, ...changed };
  try {
    localStorage.setItem(KEY, JSON.stringify(wishes));
  } catch {
    return; // A frame in another site may have no storage at all: the wish holds for this page.
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
