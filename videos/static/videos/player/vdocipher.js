/* The VdoCipher player in a page: https://www.vdocipher.com/docs/player/v2/api-reference/introduction/ */
import { hostFrame } from "./iframe.js";
import { loadScript } from "./scripts.js";

/**
 * Puts the player for `grant` into `host`. Gives `{video, remove}`: `video` is the host's proxy of an HTMLVideoElement,
 * whose properties are promises, or null when its JavaScript API does not load (the video plays all the same).
 * It plays at once, and so without sound: browsers allow no other start that nobody pressed a button for.
 */
export async function mountVdoCipher({ host, grant, title, isResting }) {
  const { embed_url: address } = grant.vdocipher;
  const frame = hostFrame({ src: `${address}&autoplay=${!isResting}`, title, allow: "encrypted-media; autoplay; fullscreen" });
  host.append(frame);
  const remove = () => frame.remove();
  try {
    await loadScript(new URL("api.js", address.split("?")[0]).href);
    return { video: window.VdoPlayer.getInstance(frame).video, remove };
  } catch (error) {
    console.warn("The player's JavaScript API is missing, so progress is not recorded.", error);
    return { video: null, remove };
  }
}
