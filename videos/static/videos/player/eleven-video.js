/*
 * <eleven-video video-id="…">: one video, its player, and every reason why it does not play.
 *
 * Attributes: video-id, api (default /api/), access-token, title, autoplay, start (seconds), poster, chapters (WebVTT),
 * sign-in-url, shaka-url. Properties: tokenProvider({stale}) gives an access token or null, another one than `stale`;
 * headers go with the request for a grant.
 * Methods: start, play, pause, seek(seconds), tell({kind, target?}). Events, all of them bubbling: eleven-ready {player,
 * protection, duration}, eleven-time {position, watched}, eleven-progress {coverage, completed}, eleven-stop {code},
 * eleven-error {code, status}. The attribute `state` names what is shown.
 */
import { Api, Refusal } from "./api.js";
import { BeatQueue } from "./beats.js";
import { deviceId } from "./device.js";
import { element } from "./dom.js";
import { Failure } from "./failure.js";
import { Heartbeat } from "./heartbeat.js";
import { icon } from "./icons.js";
import { mountGrant } from "./mounts.js";
import { Note } from "./note.js";
import { QualityWatch } from "./quality.js";
import * as states from "./states.js";
import { sheet } from "./styles.js";
import { Viewing, startOf } from "./viewing.js";

const RENEWAL_PAUSE_MS = 10_000;
const DISCONNECTED = ["offline", "connection-lost"];
const RECONNECT_S = [5, 10, 20, 30];
const STOPS = ["session_revoked", "session_ended", "too_many_streams"];
/** A licence's token that was used up or came late: a fresh grant has another. */
const STALE = ["token_used", "token_expired", "package_gone", "no_first_licence"];

export class ElevenVideo extends HTMLElement {
  static observedAttributes = ["video-id", "autoplay"];

  tokenProvider = null;
  headers = {};
  #stage;
  #message;
  #note;
  #run = 0;
  #tried = 0;
  #lost = 0;
  #position = 0;
  #renewedAt = -Infinity;
  #waiting = null;
  #mounted = null;
  #viewing = null;
  #quality = null;
  #listening = null;
  #isWanted = false;
  #isQueued = false;
  #isResting = false;
  #isDeferred = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    this.#stage = element("div", { className: "stage", part: "stage", hidden: true });
    this.#message = element("div", { className: "message", role: "status", "aria-live": "polite", part: "message", tabIndex: -1 });
    // The host's title is for screen readers: an empty one here keeps it from hanging over the picture as a tooltip.
    root.append(element("div", { className: "frame", title: "" }, this.#stage, element("slot"), this.#message));
    this.#note = new Note(this.#message, {
      act: () => this.start(),
      takeOver: ({ id }) => this.#start({ end: id }),
      signInUrl: () => this.getAttribute("sign-in-url"),
    });
  }

  connectedCallback() {
    // A property that was set before this class was there hides the class's own.
    if (Object.hasOwn(this, "videoId")) this.#upgrade("videoId");
    this.#listen();
    BeatQueue.sendLeftovers();
    this.#settle();
  }

  disconnectedCallback() {
    this.#listening?.abort();
    this.#stop();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    if (name === "video-id") {
      this.#stop();
      this.#position = 0;
    }
    this.#settle();
  }

  get videoId() {
    return this.getAttribute("video-id");
  }

  set videoId(id) {
    this.setAttribute("video-id", id);
  }

  /** What is shown: "idle", "loading", "ready" or why nothing plays. */
  get state() {
    return this.getAttribute("state");
  }

  /** Asks for the video and plays it; also the way out of every state that nothing plays in. */
  start() {
    return this.#start({});
  }

  async play() {
    this.#isResting = false;
    if (this.#mounted?.video) await this.#mounted.video.play();
    else if (!this.#isWanted) await this.start();
  }

  pause() {
    this.#isResting = true;
    this.#mounted?.video?.pause();
  }

  /** Goes to `seconds` in the video that plays. */
  seek(seconds) {
    if (this.#mounted?.video) this.#mounted.video.currentTime = seconds;
  }

  /** Tells the server what the viewer did beside watching, `{kind, target?}`; undefined while nothing is played. */
  tell(event) {
    return this.#viewing?.tell(event);
  }

  #upgrade(name) {
    const value = this[name];
    delete this[name];
    this[name] = value;
  }

  #listen() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const on = (name, hear) => addEventListener(name, hear, { signal });
    on("visibilitychange", () => {
      if (document.visibilityState === "hidden") this.#viewing?.hide();
      else if (this.#isDeferred) this.#begin({});
    });
    on("pagehide", () => this.#viewing?.end());
    on("pageshow", ({ persisted }) => {
      if (persisted && this.#isWanted) this.#begin({});
    });
    on("online", () => {
      if (DISCONNECTED.includes(this.state)) this.#begin({});
    });
  }

  /** Once the page has set all it wants to set. */
  #settle() {
    if (this.#isQueued) return;
    this.#isQueued = true;
    queueMicrotask(() => {
      this.#isQueued = false;
      if (!this.isConnected || this.#isWanted) return;
      if (!this.hasAttribute("autoplay")) this.#invite();
      else if (this.videoId) this.start();
      else this.#show(states.LOADING);
    });
  }

  /** A picture to press, before anything is asked for. */
  #invite() {
    this.setAttribute("state", "idle");
    const name = this.getAttribute("title");
    const cover = element("button", { type: "button", className: "cover", "aria-label": name ? `Play ${name}` : "Play" });
    const poster = this.getAttribute("poster");
    if (poster) cover.append(element("img", { src: poster, alt: "" }));
    cover.append(element("span", { className: "begin" }, icon("play")));
    cover.disabled = !this.videoId;
    cover.addEventListener("click", () => this.start());
    this.#message.replaceChildren(cover);
    this.#message.hidden = false;
  }

  async #start(wishes) {
    if (!this.videoId) return;
    this.#tried = 0;
    this.#isResting = false;
    await this.#begin(wishes);
  }

  /** Asks anew, and plays unless the viewer had paused. */
  async #begin(wishes) {
    this.#run += 1;
    const run = this.#run;
    this.#forgetWaiting();
    this.#isWanted = true;
    this.#close();
    this.#show(states.LOADING);
    this.#quality = new QualityWatch();
    try {
      const api = new Api({ base: this.getAttribute("api") || "/api/", token: this.#token, headers: this.headers });
      const grant = await api.post(`videos/${encodeURIComponent(this.videoId)}/playback/`, { device_id: deviceId(), ...wishes });
      grant.session.heartbeat_url = api.resolved(grant.session.heartbeat_url);
      if (run !== this.#run) giveBack(grant.session);
      else await this.#play(grant, api, run);
    } catch (error) {
      if (run === this.#run) this.#explain(error);
    }
  }

  #token = async ({ stale }) => {
    if (this.tokenProvider) return this.tokenProvider({ stale });
    const token = this.getAttribute("access-token");
    return token === stale ? null : token;
  };

  async #play(grant, api, run) {
    const { session } = grant;
    const title = this.getAttribute("title") || "Video";
    const mount = mountGrant(grant.player);
    if (!mount) {
      this.#show(states.stateOfUnknownPlayer(grant.player));
      return;
    }
    const startAt = this.#position || Number(this.getAttribute("start")) || startOf(grant);
    const mounted = await this.#mount(mount, session, {
      host: this,
      stage: this.#stage,
      grant,
      title,
      startAt,
      isResting: this.#isResting,
      chapters: this.getAttribute("chapters") || grant.chapters,
      libraryUrl: this.getAttribute("shaka-url"),
      deviceId: deviceId(),
      bearer: () => session.token,
      resolved: (address) => api.resolved(address),
      onFailure: (failure) => run === this.#run && this.#explain(failure),
    });
    if (run !== this.#run) {
      giveBack(session);
      mounted.remove();
      return;
    }
    this.#mounted = mounted;
    this.#followRest(mounted.video);
    this.#viewing = new Viewing({
      session,
      video: mounted.video,
      quality: this.#quality,
      jumpTo: mounted.isSelfStarting ? startAt : 0,
      onSeen: ({ coverage, completed }) => this.#tell("eleven-progress", { coverage, completed }),
      onTime: ({ position, watched }) => {
        this.#position = position;
        this.#tell("eleven-time", { position, watched });
      },
      onStop: this.#stopped,
    });
    if (this.#note.hide()) mounted.focus?.();
    this.setAttribute("state", "ready");
    this.#tell("eleven-ready", { player: grant.player, protection: grant.protection, duration: grant.duration });
    this.#tried = 0;
    this.#lost = 0;
    await mounted.start?.({ isResting: this.#isResting });
  }

  async #mount(mount, session, options) {
    try {
      return await mount(options);
    } catch (error) {
      giveBack(session);
      throw error;
    }
  }

  /** Whether the viewer paused: a start that nobody asked for, after a lost connection say, leaves it so. */
  #followRest(video) {
    const told = (isResting) => () => {
      if (this.#mounted?.video === video) this.#isResting = isResting;
    };
    video?.addEventListener("pause", told(true));
    video?.addEventListener("play", told(false));
  }

  #stopped = (code) => {
    this.#run += 1;
    this.#close();
    this.#show(states.stateOfStop(code));
    this.#tell("eleven-stop", { code });
  };

  #explain(error) {
    if (error instanceof Failure) this.#failed(error);
    else if (error instanceof Refusal) this.#refused(error);
    else {
      this.#close();
      this.#show(states.stateOfFailure(new Failure("media", { code: error.name })));
      throw error;
    }
  }

  #refused(refusal) {
    this.#close();
    this.#show(states.stateOfRefusal(refusal, { tried: this.#tried }));
    if (refusal.status === 425 && this.#tried < states.READY_RETRIES) {
      this.#tried += 1;
      this.#waiting = setTimeout(() => this.#beginWhenSeen(), states.READY_RETRY_S * 1000);
    }
    this.#tell("eleven-error", { code: refusal.code, status: refusal.status });
  }

  /** What a fresh grant can heal is tried once; the rest is explained. */
  #failed(failure) {
    const { kind, code, status } = failure;
    this.#quality?.fails();
    if (STOPS.includes(code) && this.#viewing) {
      this.#stopped(code);
      return;
    }
    const isStale = kind === "refused" || STALE.includes(code);
    if (isStale && performance.now() - this.#renewedAt > RENEWAL_PAUSE_MS) {
      this.#renewedAt = performance.now();
      this.#begin({});
      return;
    }
    this.#run += 1;
    this.#close();
    this.#show(states.stateOfFailure(failure));
    this.#tell("eleven-error", { code: code || kind, status });
  }

  /** Nobody waits in front of a hidden page. */
  #beginWhenSeen() {
    if (document.hidden) this.#isDeferred = true;
    else this.#begin({});
  }

  #forgetWaiting() {
    clearTimeout(this.#waiting);
    this.#isDeferred = false;
  }

  #show(state) {
    this.setAttribute("state", state.name);
    if (DISCONNECTED.includes(state.name)) this.#reconnectLater();
    this.#message.setAttribute("aria-live", state.isAlert ? "assertive" : "polite");
    this.#note.show(state);
  }

  /** Not every browser notices that it is online again. */
  #reconnectLater() {
    const pause = RECONNECT_S[Math.min(this.#lost, RECONNECT_S.length - 1)];
    this.#lost += 1;
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#begin({}), pause * 1000);
  }

  #stop() {
    this.#run += 1;
    this.#isWanted = false;
    this.#forgetWaiting();
    this.#close();
  }

  #close() {
    const { mediaTime } = this.#mounted ?? {};
    if (mediaTime) this.#position = mediaTime();
    this.#viewing?.end();
    this.#takeFocus();
    this.#mounted?.remove();
    this.#viewing = null;
    this.#mounted = null;
  }

  /** What had the focus in the picture goes with it: the message keeps it for what comes next. */
  #takeFocus() {
    if (!this.#stage.contains(this.shadowRoot.activeElement)) return;
    this.#message.hidden = false;
    this.#message.focus();
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Ends a session that nothing plays in: its stream is free at once. */
function giveBack(session) {
  new Heartbeat({ session }).end();
}

if (!customElements.get("eleven-video")) customElements.define("eleven-video", ElevenVideo);
