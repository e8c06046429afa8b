/* The landing page after the checkout: asks the server to look at the payment, then waits for it a while. */
import { signInAddress } from "./account.js";
import { get, post } from "./api.js";
import { courseAddress, lessonAddress } from "./cards.js";
import { fill, find, showProblem, showState } from "./dom.js";
import { tokens } from "./tokens.js";

const POLL_EVERY_MS = 2000;
const POLLS = 15;
const SYNC_EVERY_POLLS = 5;
const GRANTS_ACCESS = ["paid", "partially_refunded"];
const OVER = {
  expired: ["This checkout ran out", "Nothing was charged for this order."],
  failed: ["This payment did not go through", "Nothing was charged for this order."],
  refunded: ["This order was refunded", "The course is there if you want it back."],
  disputed: ["This payment is disputed", "The course is closed until that is settled."],
};

const view = find("#payment");
const address = new URLSearchParams(location.search);
const [slug, orderId] = [address.get("course-slug"), address.get("order_id")];

async function confirm() {
  showState(view, "loading");
  try {
    const order = await settledOrder();
    if (GRANTS_ACCESS.includes(order.status)) await welcome(order);
    else if (order.status in OVER) unpaid(order.status);
    else showState(view, "pending", { focus: true });
  } catch (error) {
    if (error.status === 401) showState(view, "sign-in");
    else if (error.status === 404) showState(view, "missing");
    else showProblem(view, error, confirm);
  }
}

async function settledOrder() {
  let order = await look(true);
  for (let poll = 1; poll <= POLLS && !isSettled(order); poll += 1) {
    await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
    order = await look(poll % SYNC_EVERY_POLLS === 0);
  }
  return order;
}

function isSettled({ status }) {
  return GRANTS_ACCESS.includes(status) || status in OVER;
}

/** The order; with `sync` the server asks the payment provider first, and its own knowledge is used when that fails. */
async function look(sync) {
  if (!sync) return get(`payments/orders/${orderId}/`);
  try {
    return await post(`payments/orders/${orderId}/sync/`);
  } catch (error) {
    if (error.status !== 503 && error.status !== 429) throw error;
    return get(`payments/orders/${orderId}/`);
  }
}

async function welcome(order) {
  const bought = order.items[0]?.course;
  const course = await get(`courses/courses/${encodeURIComponent(slug ?? bought.slug)}/`);
  fill(view, { course: course.title });
  find("[data-first-lesson]", view).href = course.first_lesson_slug
    ? lessonAddress(course.first_lesson_slug)
    : courseAddress(course.slug);
  showState(view, "ready", { focus: true });
}

function unpaid(status) {
  const [heading, detail] = OVER[status];
  fill(view, { heading, detail });
  if (slug) find("[data-course-link]", view).href = courseAddress(slug);
  showState(view, "unpaid", { focus: true });
}

find("[data-sign-in]", view).href = signInAddress();
find("[data-again]", view).addEventListener("click", confirm);

if (!tokens()) showState(view, "sign-in");
else if (!orderId) showState(view, "missing");
else await confirm();
