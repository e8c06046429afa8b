import { me, registerAddress, signInAddress } from "./account.js";
import { get, post, request } from "./api.js";
import { courseAddress, lessonAddress } from "./cards.js";
import { showCurriculum } from "./curriculum.js";
import { element, fill, find, paragraphs, showProblem, showState } from "./dom.js";
import { playVideo } from "./player.js";
import { WatchingBar } from "./watching.js";

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
    find("#player").remove();
    find("#no-video").hidden = false;
    showDone(lesson);
    return;
  }
  const bar = new WatchingBar(lesson.video_id);
  const player = playVideo({ videoId: lesson.video_id, title: lesson.title, onSeen: bar.seen });
  await bar.follow(player);
  find("#next-lesson").addEventListener("click", () => player.tell({ kind: "cta_click", target: "next-lesson" }));
}

/** What has no video to tell it is marked as done by hand. */
function showDone(lesson) {
  const button = find("#done");
  let isDone = Boolean(lesson.my_progress?.is_completed);
  const show = () => {
    button.setAttribute("aria-pressed", String(isDone));
    button.textContent = isDone ? "Done ✓" : "Mark as done";
    button.hidden = false;
  };
  button.addEventListener("click", async () => {
    const address = `courses/lessons/${slug}/completion/`;
    await (isDone ? request("DELETE", address) : post(address));
    isDone = !isDone;
    show();
    await showCourse(lesson);
  });
  show();
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
