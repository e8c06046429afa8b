/* The student's orders: how each stands, what went back, and the ways on from it. */
import { get } from "./api.js";
import { courseAddress } from "./cards.js";
import { copy, element, fill, find, holdBack } from "./dom.js";
import { date } from "./format.js";

const STATES = {
  draft: "Not finished",
  pending: "Not paid yet",
  processing: "On its way",
  paid: "Paid",
  partially_refunded: "Partly refunded",
  refunded: "Refunded",
  disputed: "At your bank",
  failed: "Not paid",
  expired: "Ran out",
};
const REFUND_STATES = {
  pending: "on its way",
  requires_action: "waits for you: see the mail of our payment provider",
  succeeded: "given back",
  failed: "did not reach you: we will write to you",
  canceled: "called off",
};
const CAN_PAY = ["pending", "failed", "expired"];

/** One entry of the list of orders. */
export function orderRow(order) {
  const row = copy("order-template");
  fill(row, {
    courses: order.items.map(({ course }) => course.title).join(", "),
    date: date(order.created_at),
    total: order.total_minor === 0 ? "Free" : order.total_display,
    discount: order.discount_minor ? `− ${order.discount_display} discount` : "",
    status: isLookedInto(order) ? "We look into it" : (STATES[order.status] ?? order.status),
    words: order.status_text,
  });
  find('[data-field="status"]', row).classList.toggle("tag-good", order.status === "paid");
  find("[data-refunds]", row).replaceChildren(...order.refunds.map(refundLine));
  showWaysOn(row, order);
  return row;
}

/** Money came for it that gave nothing; a paid order may have such money beside the right one. */
function isLookedInto({ status, is_under_review: isUnderReview }) {
  return isUnderReview && CAN_PAY.includes(status);
}

function refundLine({ amount_display: amount, status, created_at: at }) {
  return element("li", { textContent: `${date(at)}: ${amount} ${REFUND_STATES[status] ?? status}` });
}

function showWaysOn(row, order) {
  const open = order.items.filter(({ access }) => access === "granted");
  const ways = open.map(({ course }) => way(course, open.length > 1 ? `Go to ${course.title}` : "Go to the course"));
  if (CAN_PAY.includes(order.status) && !isLookedInto(order)) {
    ways.push(...order.items.map(({ course }) => way(course, order.status === "pending" ? "Go on paying" : "Try again")));
  }
  if (order.has_receipt) ways.push(receiptButton(order, find("[data-message]", row)));
  find("[data-ways]", row).replaceChildren(...ways);
}

function way({ slug }, textContent) {
  return element("a", { href: courseAddress(slug), textContent });
}

/** The receipt's address is asked for when it is wanted: it is the payment provider's, and changes. */
function receiptButton(order, message) {
  const button = element("button", { type: "button", className: "link-button", textContent: "Receipt" });
  button.addEventListener("click", async () => {
    button.disabled = true;
    message.textContent = "";
    try {
      const { url } = await get(`payments/orders/${order.id}/receipt/`);
      location.assign(url);
      button.disabled = false;
    } catch (error) {
      message.textContent = error.message;
      button.disabled = false;
      holdBack(button, error.retryAfter);
    }
  });
  return button;
}
