/** Seconds as `m:ss` or `h:mm:ss`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds || 0));
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  const hours = Math.floor(whole / 3600);
  const [minutes, rest] = hours ? [String(parts[0]).padStart(2, "0"), parts[1]] : parts;
  return `${hours ? `${hours}:` : ""}${minutes}:${String(rest).padStart(2, "0")}`;
}

/** Seconds as `3 h 20 min`, for the length of a course. */
export function span(seconds) {
  const minutes = Math.max(1, Math.round(seconds / 60));
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return [hours ? `${hours} h` : "", rest || !hours ? `${rest} min` : ""].filter(Boolean).join(" ");
}

export function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

export function date(iso) {
  return new Intl.DateTimeFormat("en", { dateStyle: "long" }).format(new Date(iso));
}

export function capitalised(word) {
  return word ? word[0].toUpperCase() + word.slice(1).replaceAll("_", " ") : "";
}
