import { get } from "./api.js";
import { courseAddress } from "./cards.js";
import { fill, find, showProblem, showState } from "./dom.js";
import { showOffer } from "./offer.js";

const view = find("#cancelled");
const slug = new URLSearchParams(location.search).get("course-slug");

async function load() {
  showState(view, "loading");
  try {
    const course = await get(`courses/courses/${encodeURIComponent(slug)}/`);
    fill(view, { title: course.title });
    find("[data-link]", view).href = courseAddress(course.slug);
    await showOffer(find("#offer"), course, load);
    showState(view, "ready");
  } catch (error) {
    if (error.status === 404) showState(view, "empty");
    else showProblem(view, error, load);
  }
}

if (slug) await load();
else showState(view, "empty");
