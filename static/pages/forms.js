/* Forms: native checks first, then the API's errors beside the fields they are about. */
import { ApiError } from "./api.js";
import { element, find, holdBack } from "./dom.js";

/** Runs `handle(values)` on submit; shows what it throws in the form. */
export function onSubmit(form, handle) {
  const button = find('button[type="submit"]', form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearErrors(form);
    if (!nativeChecks(form)) return;
    button.disabled = true;
    form.setAttribute("aria-busy", "true");
    try {
      await handle(Object.fromEntries(new FormData(form)));
      button.disabled = false;
    } catch (error) {
      button.disabled = false;
      if (!(error instanceof ApiError)) throw error;
      showErrors(form, error);
      holdBack(button, error.retryAfter);
    } finally {
      form.removeAttribute("aria-busy");
    }
  });
}

function nativeChecks(form) {
  const wrong = [...form.elements].filter((field) => field.willValidate && !field.checkValidity());
  wrong.forEach((field) => addError(field, field.validationMessage));
  wrong[0]?.focus();
  return wrong.length === 0;
}

function clearErrors(form) {
  find("[data-form-error]", form).textContent = "";
  const message = find("[data-message]", form);
  if (message) message.textContent = "";
  form.querySelectorAll(".field-error").forEach((note) => note.remove());
  for (const field of form.elements) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    describe(field);
  }
}

function showErrors(form, error) {
  const general = [];
  const wrong = [];
  for (const { attr, detail } of error.errors) {
    const field = attr ? form.elements.namedItem(attr) : null;
    if (field) {
      addError(field, detail);
      wrong.push(field);
    } else {
      general.push(detail);
    }
  }
  if (!error.errors.length) general.push(error.message);
  find("[data-form-error]", form).textContent = general.join(" ");
  wrong[0]?.focus();
}

function addError(field, detail) {
  const id = `${field.id}-error`;
  const note = document.getElementById(id);
  if (note) note.append(` ${detail}`);
  else field.closest(".field").append(element("p", { className: "field-error", id, textContent: detail }));
  field.setAttribute("aria-invalid", "true");
  describe(field);
}

function describe(field) {
  const notes = [`${field.id}-error`, `${field.id}-hint`].filter((id) => field.id && document.getElementById(id));
  if (notes.length) field.setAttribute("aria-describedby", notes.join(" "));
}

document.querySelectorAll("form input").forEach(describe);
