/* The players that a grant may name, each put in its place in one way. */
import { mountFile } from "./file.js";
import { mountIframe } from "./iframe.js";
import { Picture } from "./picture.js";
import { mountStream } from "./stream.js";
import { mountVdoCipher } from "./vdocipher.js";

const LOST = "The connection was lost. The video goes on when it is back.";

const MOUNTS = {
  vdocipher: foreign(mountVdoCipher),
  iframe: foreign(mountIframe),
  file: own(mountFile),
  hls: own(mountStream),
};

/**
 * What mounts `player`; undefined for one that nobody knows. It gives `{video, remove, start?, focus?, mediaTime?,
 * isSelfStarting}`: `video` may be null, `start({isResting})` is for what does not start by itself, `mediaTime()` tells
 * where it is, in seconds.
 */
export function mountGrant(player) {
  return MOUNTS[player];
}

/** A host's own player in a frame: it starts by itself, and is told where to begin when it is there. */
function foreign(mount) {
  return async (options) => ({ isSelfStarting: true, ...(await mount(options)) });
}

/** Our own picture around media that begin where they are told to. */
function own(mount) {
  return async (options) => {
    const picture = new Picture(options);
    const onConnection = (isThere) => picture.say(isThere ? "" : LOST);
    try {
      picture.use(await mount({ ...options, video: picture.video, onConnection }));
    } catch (error) {
      picture.hide();
      await picture.remove();
      throw error;
    }
    const remove = () => {
      picture.hide();
      return picture.remove();
    };
    return {
      video: picture.video,
      remove,
      start: ({ isResting }) => (isResting ? picture.rest() : picture.start()),
      focus: () => picture.focus(),
      mediaTime: () => timeOf(picture.video, options.startAt),
      isSelfStarting: false,
    };
  };
}

function timeOf(video, startAt) {
  if (video.ended) return 0;
  return video.readyState ? video.currentTime : startAt;
}
