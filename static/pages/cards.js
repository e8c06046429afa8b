/* What a course looks like in lists. */
import { copy, fill, find, showPicture } from "./dom.js";
import { capitalised, count } from "./format.js";

export function courseAddress(slug) {
  return `/courses/${encodeURIComponent(slug)}`;
}

export function lessonAddress(slug) {
  return `/lessons/${encodeURIComponent(slug)}`;
}

export function courseCard(course) {
  const card = copy("card-template");
  fill(card, {
    university: course.university?.name,
    title: course.title,
    summary: course.summary,
    level: capitalised(course.level),
    lessons: count(course.lesson_count, "lesson"),
    price: course.is_free ? "Free" : course.price_display,
  });
  find("[data-link]", card).href = courseAddress(course.slug);
  find("[data-enrolled]", card).hidden = !course.is_enrolled;
  showPicture(find("[data-image]", card), course.thumbnail_url);
  return card;
}
