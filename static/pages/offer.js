/* The way into a course: continue, sign in, verify the address first, join for free, or buy. */
import { me, registerAddress, resendVerification, signInAddress } from "./account.js";
import { post } from "./api.js";
import { courseAddress, lessonAddress } from "./cards.js";
import { copy, fill, find, holdBack } from "./dom.js";

/** Shows what `course` offers to whoever is signed in; `reload` runs when they own it afterwards. */
export async function showOffer(place, course, reload) {
  const person = await me();
  const offer = chooseOffer(course, person, reload);
  fill(offer, { price: course.is_free ? "Free" : course.price_display });
  place.replaceChildren(offer);
}

function chooseOffer(course, person, reload) {
  if (course.is_enrolled) return enrolled(course);
  if (!person) return signIn(course);
  if (!person.email_verified) return verify(person);
  return buy(course, reload);
}

function enrolled(course) {
  const offer = copy("offer-enrolled");
  const link = find("[data-continue]", offer);
  if (course.first_lesson_slug) link.href = lessonAddress(course.first_lesson_slug);
  else link.remove();
  return offer;
}

function signIn(course) {
  const offer = copy("offer-sign-in");
  const link = find("[data-sign-in]", offer);
  link.href = signInAddress(courseAddress(course.slug));
  if (!course.is_free) link.textContent = "Sign in to buy";
  find("[data-register]", offer).href = registerAddress(courseAddress(course.slug));
  return offer;
}

function verify(person) {
  const offer = copy("offer-verify");
  fill(offer, { email: person.email });
  const [button, message] = [find("[data-resend]", offer), find("[data-message]", offer)];
  button.addEventListener("click", () => resendVerification(person.email, message, button));
  return offer;
}

function buy(course, reload) {
  const offer = copy("offer-buy");
  const [button, message] = [find("[data-buy]", offer), find("[data-message]", offer)];
  button.textContent = course.is_free ? "Join for free" : `Buy for ${course.price_display}`;
  fill(offer, { note: course.is_free ? "No payment needed." : "You pay on a secure page of our payment provider." });
  button.addEventListener("click", () => checkOut(course, button, message, reload));
  return offer;
}

async function checkOut(course, button, message, reload) {
  button.disabled = true;
  message.textContent = "";
  try {
    const { url } = await post("payments/payments/", { course_id: course.id });
    if (url) location.assign(url);
    else await reload();
  } catch (error) {
    button.disabled = false;
    if (error.code === "already_enrolled" || error.code === "already_paid") {
      await reload();
      return;
    }
    message.textContent = error.message;
    holdBack(button, error.retryAfter);
  }
}

// A page that the browser kept while its reader was at the checkout comes back with the button still disabled.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
