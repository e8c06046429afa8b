// What becomes of a file at its host, in words.

const RUNNING = ["pending", "processing"];
const GONE = "The original file is no longer kept: upload it again to have it prepared otherwise.";

export const isAtWork = (copy) => RUNNING.includes(copy.preparation?.state);

/** Percent for the bar, null for none. */
export function shareOf(copy) {
  if (isAtWork(copy)) return copy.preparation.progress_percent;
  return copy.status === "processing" ? copy.progress_percent : null;
}

/** What is said of a copy, whether more is to come, and what may be offered: "again", "retry" or nothing. */
export function tell(copy, isNext) {
  const aside = isNext || copy.status === "ready" ? " The present version is played until then." : "";
  if (isAtWork(copy)) return { text: `${atWork(copy.preparation)}.${aside}`, isMoving: true, kind: "processing" };
  return { ...settled(copy, isNext ? aside : ""), note: note(copy), offer: offer(copy) };
}

function atWork({ step, progress_percent: share }) {
  if (step === "Waiting") return "The file has arrived and waits for its turn";
  return `${step || "Preparing the video"} … ${share} %`;
}

function settled(copy, aside) {
  const share = copy.progress_percent === null ? "" : ` (${copy.progress_percent} %)`;
  switch (copy.status) {
    case "ready":
      return ready(copy.preparation);
    case "processing":
      return { text: `The video host is preparing the file${share}.${aside}`, isMoving: true };
    case "failed":
      return { text: copy.failure_reason || "The video host could not prepare the file." };
    case "deleted":
      return { text: "This video is deleted." };
    case "waiting":
      return { text: `No file has arrived yet.${aside}` };
    default:
      return { text: "This video has no file yet." };
  }
}

function ready(preparation) {
  if (preparation?.state !== "failed") return { text: "The video is ready to be watched." };
  return { text: `The video plays as before. Preparing it again failed: ${preparation.failure_reason}`, kind: "failed" };
}

function offer(copy) {
  if (!copy.preparation?.can_start_again || !["ready", "failed"].includes(copy.status)) return "";
  return copy.preparation.state === "failed" ? "retry" : "again";
}

function note(copy) {
  return copy.preparation?.state === "completed" && !copy.preparation.can_start_again ? GONE : "";
}
