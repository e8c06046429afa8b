/* This browser's name for itself: a viewer's streams are counted by device, so a reload finds its own again. */
const KEY = "11tutors.device";

let current = null;

export function deviceId() {
  current ??= kept() ?? made();
  return current;
}

// A frame in another site may have no storage at all: it is a new device each time then.
function kept() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function made() {
  const id = crypto.randomUUID?.() ?? randomUuid();
  try {
    localStorage.setItem(KEY, id);
  } catch (error) {
    console.warn("This browser keeps no name of the device.", error);
  }
  return id;
}

// crypto.randomUUID exists in secure contexts only; a development server on a local network is none.
function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
