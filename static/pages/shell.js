/* The header of every page: links for the signed in and the signed out. */
import { signOut } from "./api.js";
import { find } from "./dom.js";
import { onSignInChange, tokens } from "./tokens.js";

function showLinks(signedIn) {
  document.querySelectorAll("[data-when]").forEach((link) => {
    link.hidden = (link.dataset.when === "signed-in") !== signedIn;
  });
}

showLinks(Boolean(tokens()));
onSignInChange(showLinks);

const here = location.pathname.replace(/(.)\/$/, "$1");
document.querySelectorAll(".site-nav a").forEach((link) => {
  if (link.pathname === here) link.setAttribute("aria-current", "page");
});

find("#sign-out").addEventListener("click", async () => {
  // This browser forgets the tokens in any case, also when the server cannot be told.
  await Promise.allSettled([signOut()]);
  location.assign("/");
});
