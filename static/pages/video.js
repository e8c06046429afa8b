/* One video by itself: a page of its own, or bare in another site's frame. */
import { me } from "./account.js";
import { ApiError, get } from "./api.js";
import { find } from "./dom.js";
import { playVideo } from "./player.js";
import { WatchingBar } from "./watching.js";

const { video: videoId, embedded } = find("#main").dataset;
const isEmbedded = embedded !== undefined;

/** Only what is shared tells its title; whatever else may be watched plays without one. */
async function title() {
  try {
    return (await get(`videos/${videoId}/share/`)).title;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return "Video";
  }
}

const name = await title();
document.title = `${name} · 11Tutors`;
find("#title").textContent = name;
const bar = isEmbedded || !(await me()) ? null : new WatchingBar(videoId);
const player = playVideo({ videoId, title: name, onSeen: bar?.seen });
await bar?.follow(player);
