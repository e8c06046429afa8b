/* Where the viewer is watching now, each with a way to end it. */
import { ApiError, get, post } from "./api.js";
import { deviceId } from "../videos/player/device.js";
import { announce, copy, fill, find, showProblem, showState } from "./dom.js";

export async function showDevices(section) {
  showState(section, "loading");
  try {
    const { results } = await get("videos/sessions/", { params: { device_id: deviceId() } });
    find('ul[data-state="ready"]', section).replaceChildren(...results.map((session) => row(section, session)));
    showState(section, results.length ? "ready" : "empty");
  } catch (error) {
    showProblem(section, error, () => showDevices(section));
  }
}

function row(section, session) {
  const line = copy("device-template");
  const since = new Date(session.started_at).toLocaleTimeString("en", { timeStyle: "short" });
  fill(line, {
    device: session.is_this_device ? `${session.device} (this one)` : session.device,
    video: `${session.video_title}, since ${since}`,
  });
  const button = find("button", line);
  button.addEventListener("click", () => end(section, session, button));
  return line;
}

async function end(section, { id, end_token: token, device }, button) {
  button.disabled = true;
  try {
    await post(`videos/sessions/${id}/end/`, { token }, { anonymous: true });
    announce(`Ended on ${device}.`);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // It has ended by itself: the fresh list tells.
  }
  await showDevices(section);
}
