"use strict";

(() => {
  const MEDIA_EVENTS = [
    "abort", "canplay", "canplaythrough", "durationchange", "ended", "error", "loadeddata", "loadedmetadata",
    "loadstart", "pause", "play", "playing", "progress", "ratechange", "seeked", "seeking", "stalled", "suspend",
    "timeupdate", "volumechange", "waiting",
  ];
  const ONCE_LOADED = ["durationchange", "loadedmetadata", "loadeddata", "canplay"];
  const SETTABLE = ["currentTime", "muted", "volume", "playbackRate", "loop", "autoplay", "controls", "poster", "preload"];
  const REPORT_MS = 10_000;
  const LONGEST_STEP_S = 1.5;

  const video = document.getElementById("video");
  const start = document.getElementById("start");
  const past = new Set();

  function ranges(list) {
    return Array.from({ length: list.length }, (_, index) => [list.start(index), list.end(index)]);
  }

  function state() {
    if (!video) return { error: { code: 4, message: document.getElementById("reason").textContent } };
    return {
      currentTime: video.currentTime,
      duration: Number.isFinite(video.duration) ? video.duration : NaN,
      paused: video.paused,
      ended: video.ended,
      muted: video.muted,
      volume: video.volume,
      playbackRate: video.playbackRate,
      loop: video.loop,
      autoplay: video.autoplay,
      controls: video.controls,
      seeking: video.seeking,
      readyState: video.readyState,
      error: video.error && { code: video.error.code, message: video.error.message },
      played: ranges(video.played),
      buffered: ranges(video.buffered),
    };
  }

  function tell(message) {
    if (window.parent !== window) window.parent.postMessage({ stream: 1, state: state(), ...message }, "*");
  }

  async function run(command) {
    if (!video) throw new DOMException(state().error.message, "NotSupportedError");
    if (command.method === "play") return video.play();
    if (command.method === "pause") return video.pause();
    if (command.set === "src") window.location.replace(command.value);
    else if (SETTABLE.includes(command.set)) video[command.set] = command.value;
    return undefined;
  }

  window.addEventListener("message", async ({ source, data }) => {
    if (data?.stream !== 1 || source !== window.parent || source === window) return;
    if (data.hello) {
      tell({ ready: true, past: video ? [...past] : ["error"] });
      return;
    }
    try {
      await run(data);
      tell({ reply: data.id });
    } catch (error) {
      tell({ reply: data.id, failure: { name: error.name, message: error.message } });
    }
  });

  if (!video) return;

  // Minutes delivered: what was played, told every ten seconds and when the page goes away.
  let unreported = 0;
  let lastTime = null;

  function watch() {
    const step = video.currentTime - (lastTime ?? video.currentTime);
    if (step > 0 && step < LONGEST_STEP_S * Math.max(1, video.playbackRate)) unreported += step;
    lastTime = video.seeking ? null : video.currentTime;
  }

  function report() {
    if (unreported < 0.1) return;
    navigator.sendBeacon("played", unreported.toFixed(1));
    unreported = 0;
  }

  for (const name of MEDIA_EVENTS) {
    video.addEventListener(name, () => {
      if (ONCE_LOADED.includes(name)) past.add(name);
      if (name === "timeupdate" || name === "pause" || name === "ended") watch();
      if (name === "seeking") lastTime = null;
      if (name === "play") start.hidden = true;
      if (name === "pause" || name === "ended") report();
      tell({ event: name });
    });
  }
  start.addEventListener("click", () => video.play());
  setInterval(report, REPORT_MS);
  window.addEventListener("pagehide", report);
})();
