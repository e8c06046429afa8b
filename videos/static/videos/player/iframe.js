/* A host's own player in an iframe, steered by the JavaScript interface that the grant names. */
import { PlayerJsVideo } from "./playerjs.js";
import { loadScript } from "./scripts.js";

/** Each gives something with the properties and events of an HTMLMediaElement for a frame whose script is loaded. */
const INTERFACES = {
  // https://developers.cloudflare.com/stream/viewing-videos/using-the-stream-player/using-the-player-api/
  "cloudflare-stream": (frame) => window.Stream(frame),
  playerjs: (frame) => new PlayerJsVideo(new window.playerjs.Player(frame)),
};

/** A frame for a host's player. It lies in the element's light DOM, where hosts' scripts expect their frames. */
export function hostFrame({ src, title, allow }) {
  return Object.assign(document.createElement("iframe"), { src, title: `Video: ${title}`, allow, allowFullscreen: true });
}

/**
 * Puts the player for `grant` into `host`. Gives `{video, remove}`; `video` is null when the host's player cannot be
 * steered (the video plays all the same, and only that the page is open is reported).
 */
export async function mountIframe({ host, grant, title, isResting }) {
  const { url, api, api_url: script, allow } = grant.iframe;
  // Before the frame: a player that is ready before anybody listens is not heard.
  const isSteerable = await canBeSteered(api, script);
  const address = new URL(url);
  address.searchParams.set("autoplay", String(!isResting));
  address.searchParams.set("muted", "true"); // No browser starts a video with sound that nobody asked for.
  const frame = hostFrame({ src: address.href, title, allow });
  host.append(frame);
  return { video: isSteerable ? INTERFACES[api](frame) : null, remove: () => frame.remove() };
}

async function canBeSteered(api, script) {
  if (!INTERFACES[api]) return false;
  try {
    await loadScript(script);
    return true;
  } catch (error) {
    console.warn("The player's JavaScript interface is missing, so progress is not recorded.", error);
    return false;
  }
}
