/* A video file that the browser plays by itself. */
import { Failure } from "./failure.js";
import { unchangeable } from "./stream.js";

export async function mountFile({ video, grant, startAt, resolved, onFailure }) {
  video.addEventListener("error", () => {
    const code = video.error?.code;
    if (code) onFailure(new Failure(code === MediaError.MEDIA_ERR_NETWORK ? "network" : "media", { code: `M${code}` }));
  });
  if (startAt) video.addEventListener("loadedmetadata", () => (video.currentTime = startAt), { once: true });
  video.src = resolved(grant.file.url);
  return unchangeable(video);
}
