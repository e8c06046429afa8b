/* A course's parts and lessons: what is open, what is a free preview, what is locked. */
import { signInAddress } from "./account.js";
import { lessonAddress } from "./cards.js";
import { element } from "./dom.js";
import { clock } from "./format.js";

/** Shows `parts`; `current` is the slug of the lesson that is open, `signedIn` whether previews can be watched. */
export function showCurriculum(place, parts, { current = "", signedIn }) {
  place.replaceChildren(...parts.map((part) => partBlock(part, current, signedIn)));
}

function partBlock(part, current, signedIn) {
  const list = element("ol", { className: "lessons" }, ...part.lessons.map((item) => lessonRow(item, current, signedIn)));
  return element("section", { className: "part" }, element("h3", { textContent: part.title }), list);
}

function lessonRow(lesson, current, signedIn) {
  const row = element("li", { className: "lesson-row" });
  const isPreviewForGuests = lesson.is_free_preview && !signedIn;
  const isOpen = !lesson.is_locked || lesson.is_free_preview;
  const name = isOpen
    ? element("a", { textContent: lesson.title, href: isPreviewForGuests ? signInAddress(lessonAddress(lesson.slug)) : lessonAddress(lesson.slug) })
    : element("span", { textContent: lesson.title });
  if (lesson.slug === current) name.setAttribute("aria-current", "page");
  row.append(element("span", { className: `mark ${isOpen ? "mark-open" : "mark-locked"}`, "aria-hidden": "true" }), name);
  if (!isOpen) row.append(element("span", { className: "visually-hidden", textContent: " (locked)" }));
  if (lesson.is_exam) row.append(element("span", { className: "tag", textContent: "Exam" }));
  if (lesson.is_free_preview) row.append(element("span", { className: "tag tag-good", textContent: "Free preview" }));
  if (lesson.is_completed) row.append(element("span", { className: "tag tag-good", textContent: "Done" }));
  else if (lesson.my_coverage) {
    const share = Math.floor(lesson.my_coverage * 100);
    row.append(element("span", { className: "lesson-share", textContent: `${share} %`, title: `${share} % seen` }));
  }
  if (lesson.duration) row.append(element("span", { className: "lesson-duration", textContent: clock(lesson.duration) }));
  return row;
}
