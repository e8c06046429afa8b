/* Beside the player: how much is seen, which parts are missing, like and share. */
import { ApiError, get } from "./api.js";
import { announce, element, find } from "./dom.js";
import { clock } from "./format.js";

const SHORTEST_MISSING_S = 3;
const MOST_MISSING = 6;

export class WatchingBar {
  #player = null;
  #videoId;
  #progress = null;

  constructor(videoId) {
    this.#videoId = videoId;
    find("#like").addEventListener("click", () => this.#like());
    find("#share").addEventListener("click", () => this.#share());
  }

  async follow(player) {
    this.#player = player;
    try {
      await this.#load();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return; // The player has said why; there is nothing to show beside it.
    }
    find("#watching-actions").hidden = false;
  }

  /** Told by each heartbeat's answer. */
  seen = ({ coverage, completed }) => {
    const wasCompleted = this.#progress?.completed;
    this.#show(coverage, completed);
    if (completed && !wasCompleted) announce("You have completed this video.");
    if (this.#progress) this.#progress.completed = completed;
  };

  async #load() {
    this.#progress = await get(`videos/${this.#videoId}/progress/`);
    this.#show(this.#progress.coverage, this.#progress.completed);
    this.#showLiked(Boolean(this.#progress.liked));
    this.#showMissing(this.#progress);
  }

  #show(coverage, completed) {
    const place = find("#seen");
    const bar = find("meter", place);
    place.hidden = !coverage;
    bar.value = coverage ?? 0;
    find("[data-field=seen]", place).textContent = completed
      ? "Completed"
      : `${Math.floor((coverage ?? 0) * 100)} % seen`;
  }

  #showMissing({ missing, coverage }) {
    const place = find("#missing");
    const parts = missing.filter(([from, to]) => to - from >= SHORTEST_MISSING_S);
    place.hidden = !coverage || parts.length === 0;
    find("ul", place).replaceChildren(...parts.slice(0, MOST_MISSING).map((part) => element("li", {}, this.#jump(part))));
  }

  #jump([from, to]) {
    const button = element("button", {
      type: "button",
      className: "chip",
      textContent: `${clock(from)} – ${clock(to)}`,
      "aria-label": `${clock(from)} – ${clock(to)}: go to this part`,
    });
    button.addEventListener("click", () => this.#player.seek(from));
    return button;
  }

  #like() {
    const isLiked = find("#like").getAttribute("aria-pressed") === "true";
    if (this.#player.tell({ kind: isLiked ? "unlike" : "like" })) this.#showLiked(!isLiked);
    else announce("Start the video first.");
  }

  #showLiked(isLiked) {
    find("#like").setAttribute("aria-pressed", String(isLiked));
  }

  async #share() {
    try {
      await passOn(location.origin + location.pathname);
    } catch (error) {
      if (error.name !== "AbortError") announce("This browser did not let the page share its address.");
      return;
    }
    this.#player.tell({ kind: "share", target: "link" });
  }
}

/** Throws when the viewer thinks better of it, or the browser forbids it. */
async function passOn(address) {
  if (navigator.share) {
    await navigator.share({ url: address, title: document.title });
    return;
  }
  await navigator.clipboard.writeText(address);
  announce("The address of this lesson is copied.");
  find("#share").textContent = "Copied";
}
