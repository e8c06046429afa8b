"use strict";

// The player's script interface: https://developers.cloudflare.com/stream/viewing-videos/using-the-stream-player/using-the-player-api/
(() => {
  const MIRRORED = ["duration", "paused", "ended", "seeking", "readyState", "error", "played", "buffered"];
  const SETTABLE = [
    "currentTime", "muted", "volume", "playbackRate", "loop", "autoplay", "controls", "poster", "preload", "src",
  ];
  const players = new WeakMap();
  const byWindow = new Map();

  class Player extends EventTarget {
    constructor(iframe) {
      super();
      this.iframe = iframe;
      this.state = {
        currentTime: 0, duration: NaN, paused: true, ended: false, muted: false, volume: 1, playbackRate: 1,
        loop: false, autoplay: false, controls: true, poster: "", preload: "metadata", src: iframe.src,
        seeking: false, readyState: 0, error: null, played: [], buffered: [],
      };
      this.ready = false;
      this.waiting = [];
      this.promises = new Map();
      this.lastId = 0;
      iframe.addEventListener("load", () => this.hello());
      this.hello();
    }

    hello() {
      byWindow.set(this.iframe.contentWindow, this);
      this.post({ hello: true });
    }

    post(message) {
      this.iframe.contentWindow?.postMessage({ stream: 1, ...message }, "*");
    }

    send(message) {
      this.lastId += 1;
      const command = { id: this.lastId, ...message };
      const answer = new Promise((resolve, reject) => this.promises.set(command.id, { resolve, reject }));
      if (this.ready) this.post(command);
      else this.waiting.push(command);
      return answer;
    }

    receive(data) {
      Object.assign(this.state, data.state);
      if (data.ready) {
        this.ready = true;
        for (const command of this.waiting.splice(0)) this.post(command);
        for (const name of data.past ?? []) this.announce(name);
      }
      if (data.event) this.announce(data.event);
      const promise = this.promises.get(data.reply);
      if (!promise) return;
      this.promises.delete(data.reply);
      if (data.failure) promise.reject(new DOMException(data.failure.message, data.failure.name));
      else promise.resolve();
    }

    announce(name) {
      this.dispatchEvent(new Event(name));
    }

    play() {
      return this.send({ method: "play" });
    }

    pause() {
      this.send({ method: "pause" });
    }
  }

  for (const name of [...MIRRORED, ...SETTABLE]) {
    const property = {
      enumerable: true,
      get() {
        return this.state[name];
      },
    };
    if (SETTABLE.includes(name)) {
      property.set = function set(value) {
        this.state[name] = value;
        this.send({ set: name, value });
      };
    }
    Object.defineProperty(Player.prototype, name, property);
  }

  window.addEventListener("message", ({ source, data }) => {
    if (data?.stream === 1 && data.state) byWindow.get(source)?.receive(data);
  });

  window.Stream = function Stream(iframe) {
    if (!players.has(iframe)) players.set(iframe, new Player(iframe));
    return players.get(iframe);
  };
})();
