import { post } from "./api.js";
import { find, showState } from "./dom.js";
import { onSubmit } from "./forms.js";
import { clear } from "./tokens.js";

const view = find("#reset-view");
const address = new URLSearchParams(location.search);
const [uid, token] = [address.get("uid"), address.get("token")];

onSubmit(find("#reset"), async ({ password }) => {
  try {
    await post("users/password/reset/confirm/", { uid, token, password }, { anonymous: true });
  } catch (error) {
    const aboutPassword = error.errors?.some(({ attr }) => attr === "password");
    if (error.status !== 400 || aboutPassword) throw error;
    showState(view, "refused", { focus: true });
    return;
  }
  clear();
  showState(view, "done", { focus: true });
});

if (!uid || !token) showState(view, "refused", { focus: true });
