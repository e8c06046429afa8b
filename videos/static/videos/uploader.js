// <video-uploader>: sends a file straight to the video host, goes on after a reload, and shows what becomes of it.
//
// data-library      address of the built Uppy
// data-video        id of the video; empty until it is created
// data-create-url   POST: makes the video from the surrounding form and gives the ticket
// data-ticket-url   POST: a ticket for another file of this video
// data-uploaded-url POST: the file is at the host
// data-status-url   GET: how far the host is
// data-again-url    POST: have the host prepare the file again
// data-choices      what can be chosen: [{name, label, value, options: [[value, words]]}]

import { Choices } from "./uploads/choices.js";
import { forget, identityOf, isSame, recall, remember } from "./uploads/memory.js";
import { isAtWork, shareOf, tell } from "./uploads/progress.js";
import { answerBehind, answerOf, reasonOf } from "./uploads/reasons.js";
import { isKnown, isOver, isResumable, sender } from "./uploads/tickets.js";

const POLL_MS = 3000;
const POLL_AT_WORK_MS = 1500;
const ARRIVED = "The file has arrived. The video host is preparing it.";

const csrf = () => ({
  "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "",
  Accept: "application/json",
});

const element = (tag, className, text = "") => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
};

const percent = (part, whole) => (whole ? Math.floor((100 * part) / whole) : 0);

const size = (bytes) => {
  const steps = ["bytes", "KB", "MB", "GB"];
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), steps.length - 1);
  return `${(bytes / 1000 ** step).toFixed(step > 1 ? 1 : 0)} ${steps[step]}`;
};

class VideoUploader extends HTMLElement {
  connectedCallback() {
    this.build();
    this.warn = (event) => event.preventDefault();
    this.offerUnfinished();
    if (this.dataset.video && !this.upload) this.watch();
  }

  disconnectedCallback() {
    this.stopSending();
    clearTimeout(this.timer);
  }

  build() {
    this.message = element("p", "uploader-message");
    this.message.setAttribute("role", "status");
    this.bar = element("progress", "uploader-bar");
    this.bar.max = 100;
    this.bar.hidden = true;
    this.picker = element("input", "uploader-file");
    this.picker.type = "file";
    this.picker.accept = "video/*,.mkv,.mov,.mp4,.webm,.avi,.m4v,.mpg,.mpeg,.ts,.wmv,.flv";
    this.picker.addEventListener("change", () => this.chosen(this.picker.files[0]));
    this.label = element("label", "uploader-pick");
    this.label.append(element("span", "uploader-pick-text"), this.picker);
    this.choices = new Choices(this.closest("form"), JSON.parse(this.dataset.choices || "[]"));
    this.buttons = element("div", "uploader-buttons");
    this.note = element("p", "uploader-note");
    this.replaceChildren(this.message, this.bar, this.choices.element, this.label, this.buttons, this.note);
    this.ask(this.dataset.video ? "Choose a file" : "Choose the video file");
  }

  // --- What is shown --------------------------------------------------------------------------------------------

  say(text, kind = "") {
    this.message.textContent = text;
    this.dataset.state = kind;
  }

  ask(text) {
    this.label.firstChild.textContent = text;
    this.label.hidden = false;
    this.picker.value = "";
  }

  showProgress(done) {
    this.bar.hidden = done === null;
    if (done !== null) this.bar.value = done;
  }

  offer(...choices) {
    this.buttons.replaceChildren(
      ...choices.map(([text, action]) => {
        const button = element("button", "uploader-button", text);
        button.type = "button";
        button.addEventListener("click", action);
        return button;
      }),
    );
  }

  // --- Choosing -------------------------------------------------------------------------------------------------

  offerUnfinished() {
    this.upload = this.dataset.video ? recall(this.dataset.video) : null;
    if (!this.upload || !isKnown(this.upload.ticket)) {
      this.upload = null;
      return;
    }
    const { file, sent, ticket } = this.upload;
    const canGoOn = isResumable(ticket) && !isOver(ticket);
    const done = canGoOn ? ` (${percent(sent, file.size)} %)` : " from its beginning";
    this.say(`The upload of ${file.name} is not finished.`, "unfinished");
    this.ask(`Continue uploading ${file.name}${done}`);
    this.offer(["Forget this upload", () => this.startOver()]);
  }

  startOver() {
    forget(this.dataset.video);
    this.upload = null;
    this.offer();
    this.say("");
    this.ask("Choose a file");
    this.watch();
  }

  chosen(file) {
    if (!file) return;
    if (this.upload && !isSame(file, this.upload.file)) {
      this.say(`This is another file. Choose ${this.upload.file.name} (${size(this.upload.file.size)}).`, "wrong");
      this.picker.value = "";
      return;
    }
    this.file = file;
    this.start();
  }

  // --- Sending --------------------------------------------------------------------------------------------------

  async start() {
    clearTimeout(this.timer);
    this.label.hidden = true;
    this.note.textContent = "";
    this.offer();
    this.say("Asking for a place to upload to …", "asking");
    try {
      const [library] = await Promise.all([import(this.dataset.library), this.haveTicket()]);
      this.send(library);
    } catch (error) {
      this.fail(error.message);
    }
  }

  async haveTicket() {
    if (this.upload && !isOver(this.upload.ticket)) return;
    const answer = await (this.dataset.video ? this.askForTicket() : this.askForVideo());
    if (!isKnown(answer.upload)) throw new Error("This page cannot send files to that video host.");
    const made = answer.asset ?? answer.video;
    this.upload = { ticket: answer.upload, hostId: made.video_service_id, file: identityOf(this.file), sent: 0 };
    remember(this.dataset.video, this.upload);
  }

  askForTicket() {
    return this.post(this.dataset.ticketUrl, new FormData());
  }

  async askForVideo() {
    const form = this.closest("form");
    const title = form?.elements.namedItem("title");
    if (title && !title.value.trim()) title.value = this.file.name.replace(/\.[^.]*$/, "");
    const answer = await this.post(this.dataset.createUrl, form ? new FormData(form) : new FormData());
    Object.assign(this.dataset, {
      video: answer.video.id,
      ticketUrl: this.dataset.ticketUrl || answer.urls.ticket,
      againUrl: answer.urls.again,
      statusUrl: answer.urls.status,
      uploadedUrl: answer.urls.uploaded,
    });
    this.becomePage(answer.urls.change, form);
    return answer;
  }

  /** From now on the page is that of the new video: a reload finds it. */
  becomePage(address, form) {
    if (address) history.replaceState(null, "", address);
    for (const button of form?.querySelectorAll("[type=submit]") ?? []) button.disabled = true;
  }

  async post(address, body) {
    for (const name of [...body.keys()]) if (body.get(name) instanceof File) body.delete(name);
    this.choices.addTo(body);
    body.set("filename", this.file.name);
    body.set("size", this.file.size);
    body.set("content_type", this.file.type);
    return answerOf(await this.reach(address, { method: "POST", headers: csrf(), body }));
  }

  async reach(address, options) {
    try {
      return await fetch(address, { credentials: "same-origin", ...options });
    } catch {
      throw new Error("The connection was lost. Check your network, then try again.");
    }
  }

  send(library) {
    const { uppy, id } = sender(library, this.upload.ticket, this.file, (bytes) => this.accepted(bytes));
    this.sending = uppy;
    uppy.on("upload-progress", (_, progress) => this.moved(progress.bytesUploaded));
    uppy.on("upload-success", () => this.sent());
    uppy.on("upload-error", (_, error, response) => this.failed(error, response));
    addEventListener("beforeunload", this.warn);
    this.moved(this.upload.sent);
    this.offerPause(uppy, id);
    uppy.upload().catch((error) => this.failed(error));
  }

  offerPause(uppy, id) {
    const cancel = ["Cancel", () => this.cancel()];
    if (!isResumable(this.upload.ticket)) return this.offer(cancel);
    const isPaused = uppy.getFile(id).isPaused;
    const change = () => {
      uppy.pauseResume(id);
      this.say(uppy.getFile(id).isPaused ? "The upload is paused." : "Going on …", "sending");
      this.offerPause(uppy, id);
    };
    return this.offer([isPaused ? "Resume" : "Pause", change], cancel);
  }

  moved(bytes) {
    if (!this.sending) return;
    const done = percent(bytes, this.file.size);
    this.showProgress(done);
    this.say(`Uploading ${this.file.name}: ${done} % of ${size(this.file.size)}. Keep this page open.`, "sending");
  }

  /** The host has kept so many bytes: from there an upload goes on. */
  accepted(bytes) {
    if (!this.sending) return;
    this.upload.sent = bytes;
    remember(this.dataset.video, this.upload);
  }

  sent() {
    const { hostId } = this.upload;
    forget(this.dataset.video);
    this.stopSending();
    this.upload = null;
    this.offer();
    this.say(ARRIVED, "processing");
    this.tellUploaded().finally(() => this.watch(hostId));
  }

  /** Not every host tells our server that a file has come. */
  async tellUploaded() {
    try {
      await answerOf(await this.reach(this.dataset.uploadedUrl, { method: "POST", headers: csrf() }));
    } catch (error) {
      console.warn("The server was not told of the upload; it asks the host in a while.", error);
    }
  }

  failed(error, response) {
    if (!this.sending) return;
    const xhr = response?.body?.xhr ?? error?.request ?? (response instanceof XMLHttpRequest ? response : null);
    const { text, needsTicket } = reasonOf(
      xhr ?? error?.originalRequest?.getUnderlyingObject?.() ?? answerBehind(error),
    );
    if (needsTicket) this.upload.ticket.expires_at = new Date(0).toISOString();
    remember(this.dataset.video, this.upload);
    this.fail(text);
  }

  fail(text) {
    this.stopSending();
    this.say(text, "failed");
    this.offer(["Try again", () => this.start()], ["Choose another file", () => this.chooseAnother()]);
  }

  chooseAnother() {
    if (this.dataset.video) forget(this.dataset.video);
    this.upload = null;
    this.offer();
    this.showProgress(null);
    this.ask("Choose a file");
  }

  cancel() {
    this.stopSending();
    this.chooseAnother();
    this.say("The upload was cancelled.");
  }

  stopSending() {
    removeEventListener("beforeunload", this.warn);
    const uppy = this.sending;
    this.sending = null;
    if (!uppy) return;
    // Cancelling would delete a resumable upload at the host.
    if (this.upload && isResumable(this.upload.ticket)) uppy.pauseAll();
    else uppy.cancelAll();
  }

  // --- What becomes of it ---------------------------------------------------------------------------------------

  async watch(hostId = "") {
    clearTimeout(this.timer);
    try {
      const answer = await answerOf(await this.reach(this.dataset.statusUrl, {}));
      if (!this.isConnected || this.sending) return;
      this.showStatus(answer, hostId);
    } catch (error) {
      this.say(error.message, "failed");
      this.timer = setTimeout(() => this.watch(hostId), POLL_MS * 3);
    }
  }

  showStatus(answer, hostId) {
    const copy = answer.next && answer.video_service_id !== hostId ? answer.next : answer;
    this.showProgress(shareOf(copy));
    const isArriving = hostId && copy.status === "waiting";
    const told = isArriving ? { text: ARRIVED, isMoving: true } : tell(copy, answer.next === copy);
    this.say(told.text, told.kind ?? copy.status ?? "");
    this.note.textContent = told.note ?? "";
    this.ask(answer.status === "ready" ? "Replace the file" : "Choose a file");
    this.offerAgain(told.offer);
    if (told.isMoving) this.timer = setTimeout(() => this.watch(hostId), isAtWork(copy) ? POLL_AT_WORK_MS : POLL_MS);
  }

  offerAgain(offered) {
    const words = { retry: "Try again", again: "Prepare again with this protection and quality" }[offered];
    this.offer(...(words && this.dataset.againUrl ? [[words, () => this.prepareAgain()]] : []));
  }

  async prepareAgain() {
    clearTimeout(this.timer);
    this.offer();
    const options = { method: "POST", headers: csrf(), body: this.choices.addTo(new FormData()) };
    try {
      await answerOf(await this.reach(this.dataset.againUrl, options));
      this.watch();
    } catch (error) {
      this.say(error.message, "failed");
      this.offer(["Look again", () => this.watch()]);
    }
  }
}

customElements.define("video-uploader", VideoUploader);
