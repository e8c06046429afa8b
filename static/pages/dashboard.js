import { forgetMe, me, resendVerification, signInAddress } from "./account.js";
import { patch, post } from "./api.js";
import { courseAddress, lessonAddress } from "./cards.js";
import { showDevices } from "./devices.js";
import { copy, fill, find, showPicture, showProblem, showState } from "./dom.js";
import { onSubmit } from "./forms.js";
import { clock, date } from "./format.js";
import { showList } from "./lists.js";
import { orderRow } from "./orders.js";
import { onSignInChange, save } from "./tokens.js";

const view = find("#dashboard");

async function load() {
  showState(view, "loading");
  try {
    const person = await me();
    if (!person) {
      location.replace(signInAddress());
      return;
    }
    showPerson(person);
    showState(view, "ready");
    await Promise.all([
      showList(find("#my-courses"), "courses/enrollments/", enrollmentCard),
      showDevices(find("#my-devices")),
      showList(find("#my-orders"), "payments/orders/", orderRow),
    ]);
  } catch (error) {
    showProblem(view, error, load);
  }
}

function showPerson(person) {
  fill(view, { greeting: `Hello, ${person.first_name || person.username}`, email: person.email });
  const unverified = find("#unverified");
  unverified.hidden = person.email_verified;
  const resend = find("[data-resend]", unverified);
  resend.onclick = () => resendVerification(person.email, find("[data-message]", unverified), resend);
  const form = find("#profile");
  for (const name of ["first_name", "last_name", "username"]) form.elements[name].value = person[name];
  find("#password-owner").value = person.email;
}

function enrollmentCard(enrollment) {
  const card = copy("enrollment-template");
  const { course } = enrollment;
  fill(card, {
    title: course.title,
    since: `Since ${date(enrollment.started_at)}`,
    state: enrollment.is_active ? "Enrolled" : endedWords(enrollment),
  });
  find('[data-field="state"]', card).classList.toggle("tag-good", enrollment.is_active);
  find("[data-link]", card).href = courseAddress(course.slug);
  showPicture(find("[data-image]", card), course.thumbnail_url);
  if (enrollment.is_active) showProgress(card, enrollment);
  return card;
}

function showProgress(card, { percentage, continue: next }) {
  find("[data-progress]", card).hidden = false;
  find("progress", card).value = percentage;
  fill(card, { share: percentage === 100 ? "Completed" : `${percentage} % done` });
  if (!next) return;
  find("[data-continue]", card).hidden = false;
  find("[data-continue-link]", card).href = lessonAddress(next.lesson_slug);
  fill(card, { continue: next.position ? `${next.lesson_title}, at ${clock(next.position)}` : next.lesson_title });
}

function endedWords({ ended_reason: reason }) {
  if (reason === "disputed") return "Paused until your bank has decided";
  return reason ? `Ended: ${reason.replaceAll("_", " ")}` : "Ended";
}

onSubmit(find("#profile"), async (values) => {
  const person = await patch("users/me/", values);
  forgetMe();
  showPerson(person);
  find("#profile [data-message]").textContent = "Saved.";
});

onSubmit(find("#password-change"), async (values) => {
  const { access, refresh } = await post("users/password/change/", values);
  save({ access, refresh });
  const form = find("#password-change");
  for (const name of ["old_password", "new_password"]) form.elements[name].value = "";
  find("[data-message]", form).textContent = "Changed. Your other devices were signed out.";
});

onSignInChange((signedIn) => {
  if (!signedIn) location.replace("/login");
});
await load();
