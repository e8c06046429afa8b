"use strict";

(() => {
  const MEDIA_EVENTS = [
    "loadstart", "loadedmetadata", "loadeddata", "canplay", "canplaythrough", "durationchange", "play", "playing",
    "pause", "ended", "timeupdate", "progress", "seeking", "seeked", "ratechange", "volumechange", "waiting",
    "stalled", "emptied", "error",
  ];
  const LONGEST_STEP_S = 1.5;

  const stage = document.getElementById("stage");
  const video = document.getElementById("video");
  const refusal = document.getElementById("refusal");
  let viewing = JSON.parse(document.getElementById("viewing").textContent);
  let refused = viewing === null ? describeRefusal() : null;
  let totalPlayed = 0;
  let secondsSeen = [];
  let lastTime = null;
  const listeners = new Set();

  function describeRefusal() {
    return {
      code: Number(document.getElementById("code").textContent),
      text: document.getElementById("reason").textContent,
    };
  }

  function refuse(error) {
    refused = error;
    video.pause();
    video.removeAttribute("src");
    video.load();
    document.getElementById("code").textContent = error.code;
    document.getElementById("reason").textContent = error.text;
    refusal.hidden = false;
    tell({ event: "error", error });
  }

  // Watermark: https://www.vdocipher.com/docs/server/playbackauth/anno/
  let stopMarks = [];

  function drawMarks(items) {
    for (const stop of stopMarks) stop();
    stopMarks = items.map((item) => drawMark(item));
  }

  function drawMark(item) {
    const mark = document.createElement(item.type === "image" ? "img" : "div");
    mark.className = `mark mark-${item.type}`;
    mark.style.opacity = item.alpha ?? 1;
    if (item.type === "image") {
      if (/^https?:/.test(item.url)) mark.src = item.url;
      mark.alt = "";
    } else {
      mark.textContent = item.text ?? "";
      mark.style.color = String(item.color ?? "0xFFFFFF").replace(/^0x/i, "#");
      mark.style.fontSize = `${Number(item.size) || 15}px`;
    }
    stage.append(mark);
    if (item.type === "rtext") return moveAbout(mark, item);
    mark.style.left = `${Number(item.x) || 0}px`;
    mark.style.top = `${Number(item.y) || 0}px`;
    return () => mark.remove();
  }

  function moveAbout(mark, item) {
    const interval = Number(item.interval) || 5000;
    const skip = Number(item.skip) || 0;
    let timer;
    function show() {
      mark.hidden = false;
      mark.style.left = `${Math.random() * Math.max(0, stage.clientWidth - mark.offsetWidth)}px`;
      mark.style.top = `${Math.random() * Math.max(0, stage.clientHeight - mark.offsetHeight)}px`;
      timer = setTimeout(skip ? hide : show, interval);
    }
    function hide() {
      mark.hidden = true;
      timer = setTimeout(show, skip);
    }
    show();
    return () => {
      clearTimeout(timer);
      mark.remove();
    };
  }

  // What was watched
  function forgetWatched() {
    totalPlayed = 0;
    secondsSeen = [];
    lastTime = null;
  }

  function watch() {
    const now = video.currentTime;
    if (lastTime !== null) {
      const step = now - lastTime;
      if (step > 0 && step < LONGEST_STEP_S * Math.max(1, video.playbackRate)) {
        totalPlayed += step / video.playbackRate;
        for (let second = Math.floor(lastTime); second <= Math.floor(now - 1e-6); second += 1) secondsSeen[second] = 1;
      }
    }
    lastTime = video.seeking ? null : now;
  }

  function coveredArray() {
    const length = Math.ceil(Number.isFinite(video.duration) ? video.duration : 0);
    return Array.from({ length }, (_, second) => secondsSeen[second] ?? 0);
  }

  // Commands from the embedding page; the other side is api.js
  const api = {
    getTotalPlayed: () => totalPlayed,
    getTotalCovered: () => coveredArray().filter(Boolean).length,
    getTotalCoveredArray: () => coveredArray(),
    getMetaData: () => viewing?.meta ?? null,
    async loadVideo({ otp, playbackInfo }) {
      const answer = await fetch("licence", {
        method: "POST",
        body: JSON.stringify({ otp, playbackInfo, referrer: document.referrer }),
      });
      const body = await answer.json();
      if (!answer.ok) {
        refuse(body);
        throw new Error(`Error ${body.code}: ${body.text}`);
      }
      viewing = body;
      refused = null;
      refusal.hidden = true;
      forgetWatched();
      drawMarks(viewing.watermark);
      video.src = "sample.webm";
      video.load();
    },
  };
  const methods = { play: () => video.play(), pause: () => video.pause() };
  const settable = ["currentTime", "muted", "volume", "playbackRate", "loop"];

  async function run(command) {
    if (command.api) return api[command.api](...(command.arguments ?? []));
    if (command.method) return methods[command.method]();
    if (settable.includes(command.set)) video[command.set] = command.value;
    return undefined;
  }

  function state() {
    return {
      currentTime: video.currentTime,
      duration: Number.isFinite(video.duration) ? video.duration : NaN,
      paused: video.paused,
      ended: video.ended,
      muted: video.muted,
      volume: video.volume,
      playbackRate: video.playbackRate,
      loop: video.loop,
      seeking: video.seeking,
      readyState: video.readyState,
    };
  }

  function tell(message) {
    for (const target of listeners) target.postMessage({ vdo: 2, state: state(), ...message }, "*");
  }

  window.addEventListener("message", async ({ source, data }) => {
    if (data?.vdo !== 2 || source !== window.parent || source === window) return;
    listeners.add(source);
    if (data.hello) {
      tell({ ready: true, error: refused });
      return;
    }
    try {
      const value = await run(data);
      tell({ reply: data.id, value });
    } catch (error) {
      tell({ reply: data.id, failure: error.message });
    }
  });

  for (const name of MEDIA_EVENTS) {
    video.addEventListener(name, () => {
      if (name === "timeupdate" || name === "pause" || name === "ended") watch();
      if (name === "seeking") lastTime = null;
      if (name === "seeked" || name === "playing") lastTime ??= video.currentTime;
      if (name === "error" && refused) return;
      tell({ event: name });
    });
  }
  document.getElementById("full").addEventListener("click", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else stage.requestFullscreen();
  });
  if (viewing) drawMarks(viewing.watermark);
  if (window.parent !== window) {
    listeners.add(window.parent);
    tell({ ready: true, error: refused });
  }
})();
