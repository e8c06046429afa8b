/* What is shown in the player's place while there is no video in it. */
import { copy, element, fill, find, holdBack } from "./dom.js";

/**
 * `actions` are `{label, run | href, waitS?}`; `list` holds elements, such as the viewer's other streams.
 */
export function showNote({ title, detail = "", actions = [], list = [] }) {
  const note = copy("player-note");
  fill(note, { title, detail });
  const items = find(".stream-list", note);
  items.append(...list);
  items.hidden = list.length === 0;
  find(".actions", note).append(...actions.map(button));
  const place = find("#player-message");
  place.replaceChildren(note);
  place.hidden = false;
}

export function hideNote() {
  find("#player-message").hidden = true;
}

function button({ label, run, href, waitS }) {
  if (href) return element("a", { className: "button", textContent: label, href });
  const made = element("button", { type: "button", className: "button", textContent: label });
  made.addEventListener("click", run);
  holdBack(made, waitS);
  return made;
}

/** One of the viewer's other streams, with a button that runs `end`. */
export function streamRow({ video_title: title, started_at: since }, end) {
  const time = new Date(since).toLocaleTimeString("en", { timeStyle: "short" });
  const name = element("span", { textContent: `${title}, since ${time}` });
  return element("li", {}, name, button({ label: "End it, watch here", run: end }));
}
