import { me, registerAddress, signInAddress } from "./account.js";
import { get } from "./api.js";
import { courseAddress, lessonAddress } from "./cards.js";
import { showCurriculum } from "./curriculum.js";
import { element, fill, find, paragraphs, showProblem, showState } from "./dom.js";
import { LessonPlayer } from "./player.js";
import { showNote } from "./player-notes.js";

const view = find("#lesson");
const slug = find("#main").dataset.slug;

async function load() {
  showState(view, "loading");
  try {
    // The player asks for its credentials itself, when it is there to use them.
    const lesson = await get(`courses/lessons/${slug}/`, { params: { playback: "false" } });
    show(lesson);
    showState(view, "ready");
    await Promise.all([play(lesson), showCourse(lesson)]);
  } catch (error) {
    if (error.status === 401) showState(view, "sign-in");
    else if (error.status === 404) showState(view, "missing");
    else showProblem(view, error, load);
  }
}

function show(lesson) {
  document.title = `${lesson.title} · 11Tutors`;
  fill(view, { title: lesson.title, part: lesson.part_title ? ` · ${lesson.part_title}` : "" });
  const course = find("#course-link");
  course.textContent = lesson.course.title;
  course.href = courseAddress(lesson.course.slug);
  const tags = [lesson.is_exam && "Exam", lesson.is_free_preview && "Free preview"].filter(Boolean);
  find("#tags").replaceChildren(...tags.map((text) => element("span", { className: "tag", textContent: text })));
  find("#description").replaceChildren(...paragraphs(lesson.description));
  showStep(find("#previous-lesson"), lesson.previous_slug);
  showStep(find("#next-lesson"), lesson.next_slug);
  showResources(lesson.resources);
}

function showStep(link, target) {
  link.hidden = !target;
  if (target) link.href = lessonAddress(target);
}

function showResources(resources) {
  find("#resources").hidden = resources.length === 0;
  const links = resources.map(({ title, url }) =>
    element("li", {}, element("a", { textContent: title, href: url, rel: "noopener", target: "_blank" })),
  );
  find("#resources ul").replaceChildren(...links);
}

async function play(lesson) {
  if (!lesson.video_id) {
    showNote({ title: "This lesson has no video", detail: "Read on below." });
    return;
  }
  await new LessonPlayer({ videoId: lesson.video_id, title: lesson.title }).start();
}

/** The list of lessons at the side; the lesson itself does without when it cannot be had. */
async function showCourse(lesson) {
  const place = find("#curriculum");
  try {
    const [course, person] = await Promise.all([get(`courses/courses/${lesson.course.slug}/`), me()]);
    showCurriculum(place, course.parts, { current: lesson.slug, signedIn: Boolean(person) });
    scrollTo(find(".lesson-aside"), find('[aria-current="page"]', place));
  } catch (error) {
    place.replaceChildren(element("p", { className: "quiet", textContent: error.message }));
  }
}

/** Brings the open lesson into sight in a long list, and leaves the page itself where it is. */
function scrollTo(aside, row) {
  if (row && aside.scrollHeight > aside.clientHeight) aside.scrollTop = row.offsetTop - aside.clientHeight / 2;
}

view.querySelectorAll("[data-sign-in]").forEach((link) => {
  link.href = signInAddress();
});
view.querySelectorAll("[data-register]").forEach((link) => {
  link.href = registerAddress();
});
await load();
