import { nextAddress, resendVerification, signInAddress } from "./account.js";
import { post } from "./api.js";
import { fill, find, showState } from "./dom.js";
import { onSubmit } from "./forms.js";

const view = find("#register-view");
if (new URLSearchParams(location.search).has("next")) {
  view.querySelectorAll('a[href="/login"]').forEach((link) => {
    link.href = signInAddress(nextAddress());
  });
}

onSubmit(find("#register"), async (values) => {
  await post("users/register/", values, { anonymous: true });
  fill(view, { email: values.email });
  showState(view, "sent", { focus: true });
  const resend = find("[data-resend]", view);
  resend.onclick = () => resendVerification(values.email, find("[data-message]", view), resend);
});
