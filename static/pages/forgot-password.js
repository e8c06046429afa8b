import { post } from "./api.js";
import { fill, find, showState } from "./dom.js";
import { onSubmit } from "./forms.js";

const view = find("#forgot-view");

onSubmit(find("#forgot"), async ({ email }) => {
  await post("users/password/reset/", { email }, { anonymous: true });
  fill(view, { email });
  showState(view, "sent", { focus: true });
});
