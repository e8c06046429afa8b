/* A button that opens a list of choices, one of which holds. */
import { element } from "./dom.js";
import { icon } from "./icons.js";

let opened = null;

/** `choices()` gives `[{label, isChosen, choose}]` each time it opens; a menu with less than `least` choices is hidden. */
export class Menu {
  element;
  #button;
  #list;
  #choices;
  #least;

  constructor({ name, icon: picture, choices, least = 2 }) {
    this.#choices = choices;
    this.#least = least;
    this.#button = element("button", {
      type: "button",
      className: "control",
      "aria-label": name,
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      title: name,
    });
    this.#button.append(icon(picture));
    this.#list = element("div", { className: "menu", role: "menu", "aria-label": name, part: "menu", hidden: true });
    this.element = element("div", { className: "menu-holder" }, this.#button, this.#list);
    this.#button.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    this.element.addEventListener("keydown", this.#keyed);
    this.element.addEventListener("focusout", (event) => {
      if (!this.element.contains(event.relatedTarget)) this.close();
    });
    this.refresh();
  }

  get isOpen() {
    return !this.#list.hidden;
  }

  /** The choices have changed. */
  refresh() {
    this.element.hidden = this.#choices().length < this.#least;
    if (this.isOpen) this.#fill();
  }

  open() {
    opened?.close();
    opened = this;
    this.#fill();
    this.#list.hidden = false;
    this.#button.setAttribute("aria-expanded", "true");
    (this.#items().find((item) => item.ariaChecked === "true") ?? this.#items()[0])?.focus();
  }

  close() {
    if (!this.isOpen) return;
    this.#list.hidden = true;
    this.#button.setAttribute("aria-expanded", "false");
    if (opened === this) opened = null;
  }

  #fill() {
    const at = this.#items().indexOf(this.#list.getRootNode().activeElement);
    this.#list.replaceChildren(...this.#choices().map((choice) => this.#item(choice)));
    if (at >= 0) this.#items()[at]?.focus();
  }

  #item({ label, isChosen, choose }) {
    const item = element("button", {
      type: "button",
      role: "menuitemradio",
      "aria-checked": String(Boolean(isChosen)),
      tabIndex: -1,
      textContent: label,
    });
    item.addEventListener("click", () => {
      choose();
      this.close();
      this.#button.focus();
    });
    return item;
  }

  #items() {
    return [...this.#list.children];
  }

  #keyed = (event) => {
    if (!this.isOpen) return;
    const items = this.#items();
    const at = items.indexOf(this.#list.getRootNode().activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === "Escape") {
      this.close();
      this.#button.focus();
    } else if (event.key !== "Enter" && event.key !== " ") return;
    event.stopPropagation(); // These keys mean something else to the player.
    if (to !== undefined || event.key === "Escape") event.preventDefault();
  };
}
