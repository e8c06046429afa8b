/* A video file that the browser plays by itself. */
import { element } from "./dom.js";

export async function mountFile(place, grant, title) {
  const video = element("video", {
    src: grant.file.url,
    title: `Video: ${title}`,
    controls: true,
    autoplay: true,
    muted: true, // No browser starts a video with sound that nobody asked for.
    playsInline: true,
    poster: grant.poster_url,
    crossOrigin: "anonymous",
  });
  const tracks = grant.captions.map(({ language, label, url }) =>
    element("track", { kind: "captions", srclang: language, label, src: url }),
  );
  video.append(...tracks);
  place.replaceChildren(video);
  return { video, remove: () => video.remove() };
}
