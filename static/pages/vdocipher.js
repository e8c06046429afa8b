/* The VdoCipher player in a page: https://www.vdocipher.com/docs/player/v2/api-reference/introduction/ */

const scripts = new Map();

function loadApi(address) {
  if (!scripts.has(address)) {
    scripts.set(
      address,
      new Promise((resolve, reject) => {
        const script = Object.assign(document.createElement("script"), { src: address, onload: resolve });
        script.onerror = () => reject(new Error(`${address} did not load`));
        document.head.append(script);
      }),
    );
  }
  return scripts.get(address);
}

/**
 * Puts the player for `grant` into `place`. Gives `{video, totalPlayed, remove}`: `video` is the host's proxy of an
 * HTMLVideoElement, or null when its JavaScript API does not load (the video plays all the same).
 * It plays at once, and so without sound: browsers allow no other start that nobody pressed a button for.
 */
export async function mountVdoCipher(place, grant, title) {
  const { embed_url: address } = grant.vdocipher;
  const frame = Object.assign(document.createElement("iframe"), {
    src: `${address}&autoplay=true`,
    title: `Video: ${title}`,
    allow: "encrypted-media; autoplay; fullscreen",
    allowFullscreen: true,
  });
  place.replaceChildren(frame);
  const remove = () => frame.remove();
  try {
    await loadApi(new URL("api.js", address.split("?")[0]).href);
    const player = window.VdoPlayer.getInstance(frame);
    return { video: player.video, totalPlayed: () => player.api.getTotalPlayed(), remove };
  } catch (error) {
    console.warn("The player's JavaScript API is missing, so progress is not recorded.", error);
    return { video: null, totalPlayed: async () => 0, remove };
  }
}
