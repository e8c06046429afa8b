/* Who is signed in, and the addresses that lead through signing in and back. */
import { get, post } from "./api.js";
import { onSignInChange, tokens } from "./tokens.js";

let asked = null;

onSignInChange(() => {
  asked = null;
});

/** The signed-in person, or null. */
export async function me() {
  if (!tokens()) return null;
  asked ??= get("users/me/");
  try {
    return await asked;
  } catch (error) {
    asked = null;
    if (error.status === 401) return null;
    throw error;
  }
}

export function forgetMe() {
  asked = null;
}

export function signInAddress(next = location.pathname + location.search) {
  return `/login?${new URLSearchParams({ next })}`;
}

export function registerAddress(next = location.pathname + location.search) {
  return `/register?${new URLSearchParams({ next })}`;
}

/** Where to go after signing in: `?next=` when it is a page of ours, else the dashboard. */
export function nextAddress() {
  const wanted = new URLSearchParams(location.search).get("next");
  if (!wanted) return "/dashboard";
  try {
    const address = new URL(wanted, location.origin);
    return address.origin === location.origin ? address.pathname + address.search : "/dashboard";
  } catch {
    return "/dashboard";
  }
}

export async function resendVerification(email, message, button) {
  button.disabled = true;
  try {
    await post("users/verify-email/resend/", { email }, { anonymous: true });
    message.textContent = "Sent. The new link is in your inbox.";
  } catch (error) {
    message.textContent = error.message;
  } finally {
    button.disabled = false;
  }
}
