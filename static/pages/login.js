import { nextAddress, registerAddress } from "./account.js";
import { signIn } from "./api.js";
import { find } from "./dom.js";
import { onSubmit } from "./forms.js";

const next = new URLSearchParams(location.search).get("next");
if (next) find("#register-link").href = registerAddress(nextAddress());

onSubmit(find("#login"), async ({ email, password }) => {
  await signIn(email, password);
  location.assign(nextAddress());
});
