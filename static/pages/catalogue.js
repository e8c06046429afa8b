/* The catalogue: search, filters, order and page all live in the address. */
import { get } from "./api.js";
import { courseCard } from "./cards.js";
import { announce, element, find, showProblem, showState } from "./dom.js";
import { count } from "./format.js";
import { onSignInChange } from "./tokens.js";

const NAMES = ["search", "university", "level", "free", "ordering", "page"];
const form = find("#filters");
const results = find("#results");
let asking = new AbortController();

function wanted() {
  const address = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.map((name) => [name, address.get(name) ?? ""]));
}

function addressFor(values) {
  const filled = Object.entries(values).filter(([, value]) => value);
  return filled.length ? `/?${new URLSearchParams(filled)}` : "/";
}

function showWanted() {
  const values = wanted();
  for (const name of ["search", "university", "level", "ordering"]) form.elements[name].value = values[name];
  form.elements.free.checked = values.free === "true";
}

async function load() {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  showState(results, "loading");
  try {
    show(await get("courses/courses/", { params: wanted(), signal }));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status === 404 && wanted().page) go({ ...wanted(), page: "" }, { replace: true });
    else showProblem(results, error, load);
  }
}

function show(page) {
  const total = count(page.count, "course");
  find("#results-heading").textContent = total;
  announce(`${total} found`);
  if (!page.results.length) {
    showState(results, "empty");
    return;
  }
  find("#cards").replaceChildren(...page.results.map(courseCard));
  showPager(page);
  showState(results, "ready");
}

function showPager(page) {
  const number = Number(wanted().page || 1);
  find("#pager").hidden = !page.next && !page.previous;
  find("#page-number").textContent = `Page ${number}`;
  showStep(find("#previous-page"), page.previous, number - 1);
  showStep(find("#next-page"), page.next, number + 1);
}

function showStep(link, exists, number) {
  link.classList.toggle("invisible", !exists);
  if (exists) link.href = addressFor({ ...wanted(), page: number > 1 ? String(number) : "" });
  else link.removeAttribute("href");
}

function go(values, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", addressFor(values));
  load();
}

function submit() {
  const values = Object.fromEntries(new FormData(form));
  go({ ...values, search: values.search.trim() });
}

async function offerUniversities() {
  const select = form.elements.university;
  try {
    const { results: universities } = await get("courses/universities/", { params: { page_size: 100 } });
    select.append(...universities.map(({ slug, name }) => element("option", { value: slug, textContent: name })));
    select.value = wanted().university;
  } catch {
    select.disabled = true; // The list of courses tells what is wrong; the filter alone is no reason to.
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
form.addEventListener("change", (event) => {
  if (event.target.name !== "search") submit();
});
find("#pager").addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  load();
  find("#results-heading").scrollIntoView();
});
addEventListener("popstate", () => {
  showWanted();
  load();
});
onSignInChange(load);

showWanted();
await Promise.all([load(), offerUniversities()]);
