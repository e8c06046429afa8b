/* The landing page after the checkout: asks the server to look at the payment, then waits for it a while. */
import { signInAddress } from "./account.js";
import { get, post } from "./api.js";
import { courseAddress, lessonAddress } from "./cards.js";
import { fill, find, showProblem, showState } from "./dom.js";
import { showOffer } from "./offer.js";
import { tokens } from "./tokens.js";

const POLL_EVERY_MS = 2000;
const POLLS = 15;
const SYNC_EVERY_POLLS = 5;
const OVER = {
  paid: "Your payment is here",
  partially_refunded: "Part of this order was refunded",
  expired: "This checkout ran out",
  failed: "This payment did not go through",
  refunded: "This order was refunded",
  disputed: "Your bank is looking at this payment",
};
const PAID = ["paid", "partially_refunded"];
const CAN_BUY_AGAIN = ["expired", "failed", "refunded"];

const view = find("#payment");
const address = new URLSearchParams(location.search);
const [slug, orderId] = [address.get("course-slug"), address.get("order_id")];

async function confirm() {
  showState(view, "loading");
  try {
    const order = await settledOrder();
    if (PAID.includes(order.status) && openItems(order).length) await welcome(order);
    else if (isSettled(order)) await unpaid(order);
    else showState(view, order.status === "processing" ? "processing" : "pending", { focus: true });
  } catch (error) {
    if (error.status === 401) showState(view, "sign-in");
    else if (error.status === 404) showState(view, "missing");
    else showProblem(view, error, confirm);
  }
}

async function settledOrder() {
  let order = await look(true);
  for (let poll = 1; poll <= POLLS && !isSettled(order); poll += 1) {
    if (order.status === "processing") showState(view, "processing");
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
    order = await lookAgain(order, poll % SYNC_EVERY_POLLS === 0);
  }
  return order;
}

/** What the order opens now; a course that was paid for can be paused or ended all the same. */
function openItems({ items }) {
  return items.filter(({ access }) => access === "granted");
}

function isSettled(order) {
  return order.status in OVER || order.is_under_review;
}

/** The order; with `sync` the server asks the payment provider first, and its own knowledge is used when that fails. */
async function look(sync) {
  if (!sync) return get(`payments/orders/${encodeURIComponent(orderId)}/`);
  try {
    return await post(`payments/orders/${encodeURIComponent(orderId)}/sync/`);
  } catch (error) {
    if (error.status !== 503 && error.status !== 429) throw error;
    return look(false);
  }
}

/** As `look`; a connection that fails for a moment does not end the waiting. */
async function lookAgain(order, sync) {
  try {
    return await look(sync);
  } catch (error) {
    if (error.status !== 0 && error.status < 500) throw error;
    return order;
  }
}

async function welcome(order) {
  const open = openItems(order);
  const course = await boughtCourse(open);
  fill(view, {
    course: open.map((item) => item.course.title).join(", "),
    note: order.refunded_minor ? order.status_text : "",
  });
  find("[data-first-lesson]", view).href = course?.first_lesson_slug
    ? lessonAddress(course.first_lesson_slug)
    : courseAddress(open[0].course.slug);
  showState(view, "ready", { focus: true });
}

async function unpaid(order) {
  const heading = order.is_under_review ? "We look into your payment" : OVER[order.status];
  fill(view, { heading, detail: order.status_text });
  const mayBuy = CAN_BUY_AGAIN.includes(order.status) && !order.is_under_review;
  const course = mayBuy ? await boughtCourse(order.items) : null;
  const place = find("#offer", view);
  place.hidden = !course;
  if (course) await showOffer(place, course, confirm);
  showState(view, "unpaid", { focus: true });
}

/** The course as it is in the catalogue, null when it is there no longer; of several, the one in the address. */
async function boughtCourse(items) {
  const bought = items.find((item) => item.course.slug === slug) ?? items[0];
  try {
    return await get(`courses/courses/${encodeURIComponent(bought.course.slug)}/`);
  } catch (error) {
    if (error.status !== 404) throw error;
    return null;
  }
}

find("[data-sign-in]", view).href = signInAddress();
view.querySelectorAll("[data-again]").forEach((button) => button.addEventListener("click", confirm));

if (!tokens()) showState(view, "sign-in");
else if (!orderId) showState(view, "missing");
else await confirm();
