/* The player on a video's page in the admin: asks in the admin's session, with the form's own token. */
for (const player of document.querySelectorAll("eleven-video[data-preview]")) {
  const token = player.closest("form")?.querySelector("[name=csrfmiddlewaretoken]");
  if (token) player.headers = { "X-CSRFToken": token.value };
}
