/* This browser's name for itself: a viewer's streams are counted by device, so a reload finds its own again. */
const KEY = "11tutors.device";

export function deviceId() {
  const known = localStorage.getItem(KEY);
  if (known) return known;
  const made = crypto.randomUUID?.() ?? randomUuid();
  localStorage.setItem(KEY, made);
  return made;
}

// crypto.randomUUID exists in secure contexts only; a development server on a local network is none.
function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
