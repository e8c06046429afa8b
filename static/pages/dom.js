/* What the pages share to put answers of the API on the screen. Text goes in as text, never as HTML. */

export const find = (selector, root = document) => root.querySelector(selector);

/** A copy of the content of `<template id>`. */
export function copy(id) {
  return document.getElementById(id).content.cloneNode(true);
}

/** An element with properties (or `data-`/`aria-` attributes) and children. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes("-")) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children);
  return made;
}

/** Writes each value into the elements `data-field="<name>"` under `root`. */
export function fill(root, values) {
  for (const [name, value] of Object.entries(values)) {
    root.querySelectorAll(`[data-field="${name}"]`).forEach((field) => {
      field.textContent = value ?? "";
    });
  }
}

/** Shows the one of `container`'s own `data-state` children that is named, and hides its siblings. */
export function showState(container, name, { focus = false } = {}) {
  const panels = [...container.querySelectorAll("[data-state]")].filter(
    (panel) => panel.parentElement.closest("[data-state]") === container.closest("[data-state]"),
  );
  for (const panel of panels) panel.hidden = panel.dataset.state !== name;
  container.setAttribute("aria-busy", String(name === "loading"));
  if (focus) panels.find((panel) => !panel.hidden)?.querySelector("h1[tabindex]")?.focus();
}

/** Shows `error` in the container's error state, with a button that runs `retry` once Retry-After has passed. */
export function showProblem(container, error, retry) {
  const problem = copy("problem-template");
  const title = error.code === "network" ? "No connection" : error.status === 429 ? "One moment, please" : "That did not work";
  fill(problem, { title, detail: error.message });
  const button = find("[data-retry]", problem);
  if (retry) {
    button.addEventListener("click", retry);
    holdBack(button, error.retryAfter);
  } else {
    button.remove();
  }
  const place = [...container.querySelectorAll('[data-state="error"]')].at(-1);
  place.replaceChildren(problem);
  showState(container, "error");
}

/** Keeps a button disabled for `seconds`, counting down in its label. */
export function holdBack(button, seconds) {
  if (!seconds) return;
  const label = button.textContent;
  let left = Math.ceil(seconds);
  button.disabled = true;
  const tick = () => {
    button.textContent = left > 0 ? `${label} (${left} s)` : label;
    button.disabled = left > 0;
    left -= 1;
    if (button.disabled) setTimeout(tick, 1000);
  };
  tick();
}

/** Shows a picture, or leaves the patterned ground when there is none or it does not load. */
export function showPicture(image, address) {
  if (!address) return;
  image.addEventListener("load", () => {
    image.hidden = false;
  });
  image.addEventListener("error", () => {
    image.hidden = true;
  });
  image.loading = "eager";
  image.src = address;
}

/** Says something to screen readers. */
export function announce(text) {
  find("#announcer").textContent = text;
}

/** Plain text with blank lines between paragraphs, as paragraphs. */
export function paragraphs(text) {
  return (text ?? "")
    .split(/\n\s*\n/)
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => element("p", { textContent: part }));
}
