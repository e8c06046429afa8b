import { me } from "./account.js";
import { get } from "./api.js";
import { showCurriculum } from "./curriculum.js";
import { announce, fill, find, paragraphs, showPicture, showProblem, showState } from "./dom.js";
import { capitalised, count, span } from "./format.js";
import { showOffer } from "./offer.js";
import { onSignInChange } from "./tokens.js";

const view = find("#course");
const slug = find("#main").dataset.slug;

async function load() {
  showState(view, "loading");
  try {
    const [course, person] = await Promise.all([get(`courses/courses/${slug}/`), me()]);
    await show(course, person);
  } catch (error) {
    if (error.status === 404) {
      error.message = "This course does not exist, or is not published yet.";
      showProblem(view, error);
    } else {
      showProblem(view, error, load);
    }
  }
}

async function show(course, person) {
  const lessons = course.parts.flatMap((part) => part.lessons);
  const length = lessons.reduce((sum, lesson) => sum + (lesson.duration ?? 0), 0);
  const teachers = course.instructors.map(({ name }) => name).join(", ");
  document.title = `${course.title} · 11Tutors`;
  fill(view, {
    university: course.university?.name,
    title: course.title,
    summary: course.summary,
    facts: [capitalised(course.level), teachers && `Taught by ${teachers}`].filter(Boolean).join(" · "),
    curriculum: [count(course.parts.length, "part"), count(lessons.length, "lesson"), length && span(length)].filter(Boolean).join(" · "),
  });
  showPicture(find("[data-image]", view), course.thumbnail_url);
  showPicture(find("#university-logo"), course.university?.logo_url);
  find("#about").hidden = !course.description;
  find("#description").replaceChildren(...paragraphs(course.description));
  showCurriculum(find("#curriculum"), course.parts, { signedIn: Boolean(person) });
  await showOffer(find("#offer"), course, async () => {
    await load();
    announce("You are enrolled.");
  });
  showState(view, "ready");
}

onSignInChange(load);
await load();
