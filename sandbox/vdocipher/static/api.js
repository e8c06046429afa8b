"use strict";

// The player's script interface: https://www.vdocipher.com/docs/player/v2/api-reference/
(() => {
  const MIRRORED = ["duration", "paused", "ended", "seeking", "readyState"];
  const SETTABLE = ["currentTime", "muted", "volume", "playbackRate", "loop"];
  const API = ["getTotalPlayed", "getTotalCovered", "getTotalCoveredArray", "getMetaData", "loadVideo"];
  const instances = new WeakMap();
  const byWindow = new Map();

  class Channel {
    constructor(iframe, video) {
      this.iframe = iframe;
      this.video = video;
      this.state = {
        currentTime: 0, duration: NaN, paused: true, ended: false, muted: false, volume: 1, playbackRate: 1,
        loop: false, seeking: false, readyState: 0,
      };
      this.ready = false;
      this.queue = [];
      this.pending = new Map();
      this.lastId = 0;
      iframe.addEventListener("load", () => this.hello());
      this.hello();
    }

    hello() {
      byWindow.set(this.iframe.contentWindow, this);
      this.post({ hello: true });
    }

    post(message) {
      this.iframe.contentWindow?.postMessage({ vdo: 2, ...message }, "*");
    }

    send(message) {
      this.lastId += 1;
      const command = { id: this.lastId, ...message };
      const answer = new Promise((resolve, reject) => this.pending.set(command.id, { resolve, reject }));
      if (this.ready) this.post(command);
      else this.queue.push(command);
      return answer;
    }

    receive(data) {
      this.state = data.state;
      if (data.ready) {
        this.ready = true;
        for (const command of this.queue.splice(0)) this.post(command);
        if (data.error) this.announce("error", data.error);
      }
      if (data.event) this.announce(data.event, data.error);
      const waiting = this.pending.get(data.reply);
      if (!waiting) return;
      this.pending.delete(data.reply);
      if ("failure" in data) waiting.reject(new Error(data.failure));
      else waiting.resolve(data.value);
    }

    announce(name, detail) {
      this.video.error = name === "error" ? detail : this.video.error;
      this.video.dispatchEvent(new CustomEvent(name, { detail }));
    }
  }

  class VideoProxy extends EventTarget {
    error = null;
  }

  function createInstance(iframe) {
    const video = new VideoProxy();
    const channel = new Channel(iframe, video);
    for (const name of [...MIRRORED, ...SETTABLE]) {
      const property = { enumerable: true, get: () => channel.state[name] };
      if (SETTABLE.includes(name)) {
        property.set = (value) => {
          channel.state[name] = value;
          channel.send({ set: name, value });
        };
      }
      Object.defineProperty(video, name, property);
    }
    video.play = () => channel.send({ method: "play" });
    video.pause = () => channel.send({ method: "pause" });
    const api = {};
    for (const name of API) api[name] = (...given) => channel.send({ api: name, arguments: given });
    return { video, api };
  }

  window.addEventListener("message", ({ source, data }) => {
    if (data?.vdo === 2 && data.state) byWindow.get(source)?.receive(data);
  });

  window.VdoPlayer = class VdoPlayer {
    static getInstance(iframe) {
      if (!instances.has(iframe)) instances.set(iframe, createInstance(iframe));
      return instances.get(iframe);
    }
  };

  setTimeout(() => window.onVdoPlayerV2APIReady?.(), 0);
})();
