/* A paginated list with its states and a button for more. */
import { get } from "./api.js";
import { find, showProblem, showState } from "./dom.js";

/** Fills `section`'s list from `path`, one page at a time; `row(item)` makes each entry. */
export async function showList(section, path, row, page = 1) {
  const list = find('ul[data-state="ready"]', section);
  const more = find("[data-more]", section);
  more.disabled = true;
  try {
    const answer = await get(path, { params: { page } });
    if (page === 1) list.replaceChildren();
    list.append(...answer.results.map(row));
    showState(section, answer.count || list.children.length ? "ready" : "empty");
    more.hidden = !answer.next;
    more.onclick = () => showList(section, path, row, page + 1);
  } catch (error) {
    more.hidden = true;
    showProblem(section, error, () => showList(section, path, row, page));
  } finally {
    more.disabled = false;
  }
}
