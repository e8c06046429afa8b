"use strict";

// The embedding page's side of player.js: `new playerjs.Player(iframe)` with on, off, the methods and the getters.
window.playerjs = (() => {
  const COMMANDS = ["play", "pause", "mute", "unmute", "setVolume", "setCurrentTime"];
  const GETTERS = ["getPaused", "getMuted", "getVolume", "getDuration", "getCurrentTime"];

  class Player {
    constructor(iframe) {
      this.iframe = typeof iframe === "string" ? document.getElementById(iframe) : iframe;
      this.isReady = false;
      this.waiting = [];
      this.handlers = new Map();
      this.asked = new Map();
      this.lastId = 0;
      window.addEventListener("message", (message) => this.take(message));
    }

    take({ source, data }) {
      if (source !== this.iframe.contentWindow || typeof data !== "string" || !data.includes("player.js")) return;
      const { context, event, value, listener } = JSON.parse(data);
      if (context !== "player.js") return;
      if (event === "ready") this.begin();
      this.asked.get(listener)?.(value);
      for (const handler of this.handlers.get(event) ?? []) handler(value);
    }

    begin() {
      this.isReady = true;
      for (const message of this.waiting.splice(0)) this.post(message);
    }

    send(message) {
      if (this.isReady) this.post(message);
      else this.waiting.push(message);
    }

    post(message) {
      this.iframe.contentWindow.postMessage(JSON.stringify({ context: "player.js", version: "0.0.11", ...message }), "*");
    }

    on(event, handler) {
      if (!this.handlers.has(event)) {
        this.handlers.set(event, []);
        if (event !== "ready") this.send({ method: "addEventListener", value: event, listener: event });
      }
      this.handlers.get(event).push(handler);
      if (event === "ready" && this.isReady) handler();
    }

    off(event, handler) {
      this.handlers.set(event, (this.handlers.get(event) ?? []).filter((known) => handler && known !== handler));
    }
  }
  for (const method of COMMANDS) Player.prototype[method] = function command(value) { this.send({ method, value }); };
  for (const method of GETTERS) {
    Player.prototype[method] = function ask(callback) {
      this.lastId += 1;
      const listener = `${method}-${this.lastId}`;
      this.asked.set(listener, (value) => { this.asked.delete(listener); callback(value); });
      this.send({ method, listener });
    };
  }
  return { Player };
})();
