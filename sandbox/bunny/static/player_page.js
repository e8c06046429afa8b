"use strict";

// The page's side of player.js: JSON texts with `context`, sent to whoever asked to listen.
(() => {
  const video = document.getElementById("video");
  const METHODS = {
    play: () => video.play(),
    pause: () => video.pause(),
    mute: () => { video.muted = true; },
    unmute: () => { video.muted = false; },
    setVolume: (value) => { video.volume = value / 100; },
    setCurrentTime: (value) => { video.currentTime = value; },
    getPaused: () => video.paused,
    getMuted: () => video.muted,
    getVolume: () => video.volume * 100,
    getDuration: () => video.duration || 0,
    getCurrentTime: () => video.currentTime,
  };
  const EVENTS = ["play", "pause", "ended", "timeupdate", "seeked", "error"];
  const listeners = new Map();

  function tell(event, value, listener) {
    const message = { context: "player.js", version: "0.0.11", event, value, listener };
    window.parent.postMessage(JSON.stringify(message), "*");
  }

  function parsed(data) {
    try {
      return JSON.parse(data);
    } catch {
      return null;
    }
  }

  window.addEventListener("message", ({ source, data }) => {
    const message = typeof data === "string" ? parsed(data) : null;
    if (source !== window.parent || message?.context !== "player.js") return;
    const { method, value, listener } = message;
    if (method === "addEventListener") listeners.set(value, [...(listeners.get(value) ?? []), listener]);
    else if (method === "removeEventListener") listeners.delete(value);
    else if (method in METHODS) {
      const result = METHODS[method](value);
      if (method.startsWith("get")) tell(method, result, listener);
    }
  });
  for (const name of EVENTS) {
    video.addEventListener(name, () => {
      const value = name === "timeupdate" ? { seconds: video.currentTime, duration: video.duration || 0 } : undefined;
      for (const listener of listeners.get(name) ?? []) tell(name, value, listener);
    });
  }
  tell("ready", { src: window.location.href, events: EVENTS, methods: Object.keys(METHODS) });
})();
