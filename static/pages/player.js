/* The <eleven-video> of a page: who watches, and what the page says beside the picture. */
import { signInAddress } from "./account.js";
import { accessToken } from "./api.js";
import { find } from "./dom.js";
import { clock } from "./format.js";

const PROTECTIONS = { drm: "Protected video", encrypted: "Encrypted video" };

/**
 * Plays `videoId` in the page's player and gives that. `onSeen({coverage, completed})` hears how much of the video the
 * viewer has seen by now, on all devices.
 */
export function playVideo({ videoId, title, onSeen = () => {} }) {
  const player = find("#player");
  player.tokenProvider = accessToken;
  player.title = title;
  player.setAttribute("sign-in-url", signInAddress());
  player.addEventListener("eleven-progress", ({ detail }) => onSeen(detail));
  followBeside(player);
  player.videoId = videoId;
  return player;
}

function followBeside(player) {
  const watched = find("#watched");
  const protection = find("#protection");
  if (!watched) return; // A bare player in another site's frame.
  player.addEventListener("eleven-ready", ({ detail }) => {
    protection.textContent = PROTECTIONS[detail.protection] ?? "";
  });
  player.addEventListener("eleven-time", ({ detail }) => {
    watched.hidden = false;
    watched.textContent = `${clock(detail.watched)} watched`;
  });
  for (const name of ["eleven-stop", "eleven-error"]) {
    player.addEventListener(name, () => {
      watched.hidden = true;
      protection.textContent = "";
    });
  }
}
