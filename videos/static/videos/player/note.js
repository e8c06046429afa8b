/* A state, put on the screen in the picture's place. */
import { element } from "./dom.js";

/** `act(action)` runs an action, `takeOver(session)` ends one of the viewer's other streams and starts here. */
export class Note {
  #place;
  #act;
  #takeOver;
  #signInUrl;

  constructor(place, { act, takeOver, signInUrl }) {
    this.#place = place;
    this.#act = act;
    this.#takeOver = takeOver;
    this.#signInUrl = signInUrl;
  }

  show({ name, title, detail = "", actions = [], sessions = [] }) {
    const hadFocus = this.#place.contains(this.#place.getRootNode().activeElement);
    const parts = [element("p", { className: "note-title", part: "note-title", textContent: title })];
    if (name === "loading") parts.unshift(element("span", { className: "spinner", "aria-hidden": "true" }));
    if (detail) parts.push(element("p", { className: "note-detail", textContent: detail }));
    if (sessions.length) parts.push(element("ul", { className: "streams" }, ...sessions.map(this.#row)));
    const buttons = actions.map(this.#button).filter(Boolean);
    if (buttons.length) parts.push(element("div", { className: "actions" }, ...buttons));
    this.#place.replaceChildren(element("div", { className: "note", part: "note" }, ...parts));
    this.#place.hidden = false;
    if (hadFocus) (this.#place.querySelector("button, a") ?? this.#place).focus();
  }

  /** Gives whether the focus was here, for the picture to take it over. */
  hide() {
    const hadFocus = this.#place.contains(this.#place.getRootNode().activeElement);
    this.#place.hidden = true;
    this.#place.replaceChildren();
    return hadFocus;
  }

  #row = (session) => {
    const time = new Date(session.started_at).toLocaleTimeString("en", { timeStyle: "short" });
    const name = element("span", { textContent: `${session.video_title}, since ${time}` });
    const button = element("button", { type: "button", className: "action", textContent: "End it, watch here" });
    button.addEventListener("click", () => this.#takeOver(session));
    return element("li", {}, name, button);
  };

  #button = (action) => {
    const { does, label, waitS } = action;
    if (does === "sign-in") {
      const href = this.#signInUrl();
      return href ? element("a", { className: "action", part: "action", textContent: label, href, target: "_top" }) : null;
    }
    const made = element("button", { type: "button", className: "action", part: "action", textContent: label });
    made.addEventListener("click", () => this.#act(action));
    holdBack(made, waitS);
    return made;
  };
}

/** Keeps a button disabled for `seconds`, counting down in its label. */
function holdBack(button, seconds) {
  if (!seconds) return;
  const label = button.textContent;
  let left = Math.ceil(seconds);
  const tick = () => {
    button.textContent = left > 0 ? `${label} (${left} s)` : label;
    button.disabled = left > 0;
    left -= 1;
    if (button.disabled) setTimeout(tick, 1000);
  };
  tick();
}
