/* HLS and DASH by Shaka Player, with the licence server or the keys that the grant names. */
import { Failure, failureOf } from "./failure.js";
import { loadScript } from "./scripts.js";

const LIBRARY = new URL("../vendor/shaka-player/shaka-player.min.js", import.meta.url).href;
const DASH = "application/dash+xml";
const HLS = "application/vnd.apple.mpegurl";
const FAIRPLAY = "com.apple.fps";
const STRONGEST_FIRST = [FAIRPLAY, "com.widevine.alpha", "com.microsoft.playready", "org.w3.clearkey"];
const RETRY_S = 2;
const STANDS_AT_MOST = 2;
const FIRST_LICENCE_MS = 5000;
const REST_OF_A_QUALITY_S = 5; // one whose files do not arrive

/**
 * Plays `grant.hls` in `video` from `startAt` seconds on. `bearer()` gives the token for licences after the first one,
 * `resolved(address)` an absolute address. `onFailure(Failure)` hears what ends the picture, `onConnection(isThere)`
 * when the media stop and go on arriving. Gives `{levels, choose, chosen, onLevels, remove}`; throws Failure.
 */
export async function mountStream({ video, grant, startAt, bearer, deviceId, resolved, libraryUrl, onFailure, onConnection }) {
  const source = sourceOf(grant.hls);
  if (!hasMediaSource()) return playNatively(video, resolved(grant.hls.url), startAt, onFailure);
  const shaka = await library(libraryUrl || LIBRARY);
  if (!shaka.Player.isBrowserSupported()) throw new Failure("unsupported");
  const stream = new Stream(shaka, video, { onFailure, onConnection });
  stream.useLicences(grant.hls.drm, { bearer, deviceId, resolved });
  try {
    await stream.load(resolved(source.url), startAt, source.type);
  } catch (error) {
    await stream.remove();
    throw error;
  }
  return stream;
}

function hasMediaSource() {
  return "MediaSource" in window || "ManagedMediaSource" in window;
}

/** FairPlay goes with HLS; everything else is best in DASH, and in HLS where there is no DASH. */
function sourceOf({ url, dash_url: dash, drm }) {
  const isApple = "WebKitMediaKeys" in window;
  const wantsHls = isApple && Boolean(drm?.systems?.[FAIRPLAY]);
  return dash && !wantsHls ? { url: dash, type: DASH } : { url, type: HLS };
}

async function library(address) {
  try {
    await loadScript(address);
  } catch (cause) {
    throw new Failure("player", { cause });
  }
  window.shaka.polyfill.installAll();
  return window.shaka;
}

/** The error that the library itself makes of a licence that did not come. */
function licenceError({ util: { Error: { Severity, Category, Code } } }, error) {
  return { severity: Severity.CRITICAL, category: Category.DRM, code: Code.LICENSE_REQUEST_FAILED, data: [error] };
}

function after(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

class Stream {
  /** Called when the qualities, or the one that plays, change. */
  onLevels = () => {};
  #shaka;
  #player;
  #video;
  #chosen = null;
  #onFailure;
  #onConnection;
  #isLoaded = false;
  #early = null;
  #waiting = null;
  #stood = 0;

  constructor(shaka, video, { onFailure, onConnection }) {
    this.#shaka = shaka;
    this.#video = video;
    this.#onFailure = onFailure;
    this.#onConnection = onConnection;
    this.#player = new shaka.Player();
    this.#player.configure({
      // A refusal stays one, and a token works once.
      drm: { preferredKeySystems: STRONGEST_FIRST, retryParameters: { maxAttempts: 1 } },
      streaming: {
        failureCallback: (error) => this.#failedToStream(error),
        bufferingGoal: 30,
        maxDisabledTime: REST_OF_A_QUALITY_S,
      },
      abr: { restrictToElementSize: true },
    });
    this.#player.addEventListener("error", ({ detail }) => this.#failed(detail));
    for (const name of ["trackschanged", "variantchanged", "adaptation"]) {
      this.#player.addEventListener(name, () => this.onLevels());
    }
    addEventListener("online", this.#retry);
    video.addEventListener("progress", this.#arrived);
  }

  /** The first licence is asked for with the grant's own token, which works once; later ones with the session's. */
  useLicences(drm, { bearer, deviceId, resolved }) {
    const systems = Object.entries(drm?.systems ?? {});
    const servers = Object.fromEntries(systems.map(([name, { license_url: url }]) => [name, resolved(url)]));
    const certified = systems.filter(([, system]) => system.certificate_url);
    const advanced = Object.fromEntries(
      certified.map(([name, system]) => [name, { serverCertificateUri: resolved(system.certificate_url) }]),
    );
    this.#player.configure({ drm: { servers, advanced } });
    const { LICENSE } = this.#shaka.net.NetworkingEngine.RequestType;
    const networking = this.#player.getNetworkingEngine();
    let token = drm?.token;
    let isAnswered = () => {};
    const firstAnswer = new Promise((resolve) => (isAnswered = resolve));
    networking.registerRequestFilter(async (type, request) => {
      if (type !== LICENSE) return;
      const own = token;
      token = null;
      // Players ask for several keys at once, and a session has no later licence before its first one.
      if (!own) await Promise.race([firstAnswer, after(FIRST_LICENCE_MS)]);
      request.headers.Authorization = `Bearer ${own || bearer()}`;
      request.headers["X-Device-Id"] = deviceId;
    });
    networking.registerResponseFilter((type) => {
      if (type === LICENSE) isAnswered();
    });
    // Of several sessions for keys the library tells the last refusal alone.
    this.#player.addEventListener("downloadfailed", ({ requestType, error, aborted }) => {
      if (requestType !== LICENSE || aborted || !error) return;
      isAnswered();
      this.#failed(licenceError(this.#shaka, error));
    });
  }

  async load(url, startAt, type) {
    try {
      await this.#player.attach(this.#video);
      await this.#player.load(url, startAt || null, type);
    } catch (error) {
      throw this.#early ?? this.#described(error);
    }
    if (this.#early) throw this.#early;
    this.#isLoaded = true;
  }

  /** The heights in pixels that there are, highest first. */
  levels() {
    const heights = this.#player.getVariantTracks().map(({ height }) => height);
    return [...new Set(heights.filter(Boolean))].sort((a, b) => b - a);
  }

  /** `{height, isAutomatic}` of what plays now. */
  get chosen() {
    const active = this.#player.getVariantTracks().find((track) => track.active);
    return { height: active?.height ?? null, isAutomatic: this.#chosen === null };
  }

  /** Plays `height`, or with null whatever the connection carries. */
  choose(height) {
    this.#chosen = height;
    this.#player.configure({ abr: { enabled: height === null } });
    const tracks = this.#player.getVariantTracks().filter((track) => track.height === height);
    const [best] = tracks.sort((a, b) => b.bandwidth - a.bandwidth);
    if (best && !best.active) this.#player.selectVariantTrack(best, true);
    this.onLevels();
  }

  remove() {
    this.#stopWaiting();
    removeEventListener("online", this.#retry);
    this.#video.removeEventListener("progress", this.#arrived);
    this.onLevels = () => {};
    this.#onFailure = () => {};
    return this.#player.destroy();
  }

  #described(error) {
    return failureOf(error, { keyType: this.#shaka.net.NetworkingEngine.RequestType.KEY });
  }

  #failed(error) {
    if (error.severity === this.#shaka.util.Error.Severity.RECOVERABLE) return;
    const failure = this.#described(error);
    const isRetried = failure.kind === "network" && error.category === this.#shaka.util.Error.Category.NETWORK;
    if (isRetried) return;
    if (this.#isLoaded) this.#onFailure(failure);
    else this.#early ??= failure; // A refused licence does not end the loading.
  }

  /** Media that do not arrive: what was refused ends the picture, what was lost on the way is asked for again. */
  #failedToStream(error) {
    if (this.#described(error).kind !== "network") return;
    this.#onConnection(false);
    this.#waiting ??= setInterval(() => this.#wait(), RETRY_S * 1000);
  }

  /** A list of segments that did not arrive is not asked for again by the library: a fresh start does that. */
  #wait() {
    this.#stood = this.#video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA ? this.#stood + 1 : 0;
    if (this.#stood > STANDS_AT_MOST) this.#onFailure(new Failure("network"));
    else this.#retry();
  }

  #retry = () => {
    if (this.#waiting !== null) this.#player.retryStreaming();
  };

  #arrived = () => {
    if (this.#waiting === null) return;
    this.#stopWaiting();
    this.#onConnection(true);
  };

  #stopWaiting() {
    clearInterval(this.#waiting);
    this.#waiting = null;
    this.#stood = 0;
  }
}

/** iPhones before iOS 17.1 have no media source that scripts can fill, and a player of HLS of their own. */
function playNatively(video, url, startAt, onFailure) {
  video.addEventListener("error", () => {
    const code = video.error?.code;
    onFailure(new Failure(code === MediaError.MEDIA_ERR_NETWORK ? "network" : "media", { code: `M${code}` }));
  });
  if (startAt) video.addEventListener("loadedmetadata", () => (video.currentTime = startAt), { once: true });
  video.src = url;
  return unchangeable(video);
}

/** Media whose quality nobody chooses. */
export function unchangeable(video) {
  return {
    levels: () => [],
    chosen: { height: null, isAutomatic: true },
    choose: () => {},
    onLevels: () => {},
    remove: () => {
      video.removeAttribute("src");
      video.load();
    },
  };
}
