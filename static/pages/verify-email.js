import { forgetMe } from "./account.js";
import { post } from "./api.js";
import { fill, find, showProblem, showState } from "./dom.js";
import { onSubmit } from "./forms.js";
import { tokens } from "./tokens.js";

const view = find("#verification");
const token = new URLSearchParams(location.search).get("token");
const refusals = {
  token_used: ["This link was used already", "Your address is probably verified: try to sign in. Otherwise ask for a new link."],
  token_expired: ["This link is too old", "Ask for a new one; it works for three days."],
};
const invalid = ["This link does not work", "It may be incomplete. Open it from the message once more, or ask for a new one."];

async function verify() {
  showState(view, "loading");
  if (!token) {
    refuse("");
    return;
  }
  try {
    const { email } = await post("users/verify-email/", { token }, { anonymous: true });
    forgetMe();
    fill(view, { email });
    if (tokens()) Object.assign(find("[data-onward]", view), { href: "/dashboard", textContent: "My learning" });
    showState(view, "ready", { focus: true });
  } catch (error) {
    if (error.status === 400) refuse(error.code);
    else showProblem(view, error, verify);
  }
}

function refuse(code) {
  const [refusal, advice] = refusals[code] ?? invalid;
  fill(view, { refusal, advice });
  showState(view, "refused", { focus: true });
}

onSubmit(find("#resend"), async ({ email }) => {
  await post("users/verify-email/resend/", { email }, { anonymous: true });
  find("[data-message]", view).textContent = "If the address waits to be verified, a new link is on its way.";
});

await verify();
