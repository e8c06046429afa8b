/* The player's own styles: a sheet for its shadow root, which a strict Content-Security-Policy lets through. */
export const sheet = new CSSStyleSheet();

sheet.replaceSync(`
:host {
  --_accent: var(--eleven-accent, #6fc3b1);
  --_on-accent: var(--eleven-on-accent, #0c1a17);
  --_ground: var(--eleven-background, #0c100f);
  --_text: var(--eleven-text, #f1efe8);
  --_quiet: var(--eleven-quiet, #c9c8be);
  --_panel: var(--eleven-panel, #1b211f);
  display: block;
  position: relative;
  aspect-ratio: 16 / 9;
  overflow: hidden;
  border-radius: var(--eleven-radius, 0);
  background: var(--_ground);
  color: var(--_text);
  font: 400 1rem/1.5 var(--eleven-font, system-ui, sans-serif);
}
:host([hidden]), [hidden] { display: none !important; }
:host(:fullscreen) { width: 100%; height: 100%; aspect-ratio: auto; border-radius: 0; }
*, *::before { box-sizing: border-box; }
button, input { font: inherit; color: inherit; }
button { cursor: pointer; }
button:disabled { cursor: default; }
:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }

.frame, .stage, .message { position: absolute; inset: 0; }
.frame { container-type: size; }
::slotted(iframe) { position: absolute; inset: 0; width: 100%; height: 100%; border: 0; display: block; }
video { width: 100%; height: 100%; display: block; background: var(--_ground); }
video::cue { background: rgb(0 0 0 / 75%); color: #fff; }
.stage { direction: ltr; user-select: none; -webkit-user-select: none; -webkit-touch-callout: none; }
.stage[data-resting] { cursor: none; }

.message { display: grid; overflow: auto; background: var(--_ground); outline: none; }
.note { margin: auto; padding: 1rem 1.25rem; max-width: 34rem; text-align: center; }
.note-title { margin: 0 0 0.3em; font-size: 1.3rem; font-weight: 600; line-height: 1.25; }
.note-detail { margin: 0 0 1rem; color: var(--_quiet); }
.actions { display: flex; flex-wrap: wrap; justify-content: center; gap: 0.75rem; }
.action {
  display: inline-block;
  padding: 0.5rem 1.1rem;
  border: 1px solid var(--_accent);
  border-radius: 0.5rem;
  background: var(--_accent);
  color: var(--_on-accent);
  font-weight: 600;
  text-decoration: none;
}
.action:disabled { border-color: #5d6663; background: none; color: var(--_quiet); }
.streams { display: grid; gap: 0.5rem; margin: 0 0 1rem; padding: 0; list-style: none; }
.streams li { display: flex; flex-wrap: wrap; gap: 0.35rem 1rem; align-items: center; justify-content: space-between; text-align: start; }
.streams .action { padding: 0.25rem 0.8rem; font-size: 0.9rem; }
.spinner {
  display: block;
  width: 2.25rem;
  height: 2.25rem;
  margin: 0 auto 0.75rem;
  border: 3px solid rgb(255 255 255 / 20%);
  border-top-color: var(--_accent);
  border-radius: 50%;
  animation: turn 0.9s linear infinite;
}
@keyframes turn { to { transform: rotate(1turn); } }

.cover { position: absolute; inset: 0; width: 100%; padding: 0; border: 0; background: none; }
.cover img { width: 100%; height: 100%; object-fit: cover; }
.cover:focus-visible { outline-offset: -4px; }
.begin {
  position: absolute;
  inset: 0;
  margin: auto;
  display: grid;
  place-items: center;
  width: 4.5rem;
  height: 4.5rem;
  padding: 0;
  border: 0;
  border-radius: 50%;
  background: var(--_accent);
  color: var(--_on-accent);
}
.begin svg { width: 2.4rem; height: 2.4rem; }
.cover:disabled .begin { background: #5d6663; }
svg { display: block; fill: currentcolor; }

.stage[data-waiting]::after {
  content: "";
  position: absolute;
  inset: 0;
  margin: auto;
  width: 3rem;
  height: 3rem;
  border: 4px solid rgb(255 255 255 / 25%);
  border-top-color: var(--_accent);
  border-radius: 50%;
  pointer-events: none;
  animation: turn 0.9s linear infinite;
}
.hint {
  position: absolute;
  top: 0.75rem;
  left: 50%;
  width: max-content;
  max-width: calc(100% - 1.5rem);
  margin: 0;
  padding: 0.4rem 0.9rem;
  border-radius: 0.5rem;
  background: rgb(0 0 0 / 82%);
  color: #fff;
  text-align: center;
  transform: translateX(-50%);
  pointer-events: none;
}
.watermark {
  position: absolute;
  color: rgb(255 255 255 / 45%);
  font-size: clamp(0.75rem, 2.2cqi, 1.1rem);
  text-shadow: 0 0 3px rgb(0 0 0 / 60%);
  white-space: nowrap;
  pointer-events: none;
}

.controls {
  position: absolute;
  inset: auto 0 0;
  padding: 2rem 0.75rem 0.4rem;
  background: linear-gradient(transparent, rgb(0 0 0 / 82%) 55%);
  color: #fff;
  transition: opacity 0.2s;
}
.stage[data-resting] .controls { opacity: 0; pointer-events: none; }
.row { display: flex; align-items: center; gap: 0.15rem; }
.gap { flex: 1; }
.control {
  display: flex;
  align-items: center;
  justify-content: center;
  min-width: 2.5rem;
  height: 2.5rem;
  padding: 0 0.4rem;
  border: 0;
  border-radius: 0.4rem;
  background: none;
}
.control:hover { background: rgb(255 255 255 / 18%); }
.control svg { width: 1.5rem; height: 1.5rem; flex: none; }
.time { padding: 0 0.5rem; font-size: 0.85rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.volume { width: 4.5rem; accent-color: var(--_accent); }
.protection { gap: 0.35rem; font-size: 0.8rem; }
.protection svg { width: 1.1rem; height: 1.1rem; }

.seek-bar { position: relative; height: 1.5rem; }
.track, .buffered, .marks { position: absolute; inset: 0; }
.track { inset: 0.6rem 0; border-radius: 0.2rem; overflow: hidden; background: rgb(255 255 255 / 28%); }
.track i { position: absolute; top: 0; height: 100%; }
.buffered i { background: rgb(255 255 255 / 40%); }
.played { position: absolute; inset: 0 auto 0 0; width: 0; background: var(--_accent); }
.marks i { width: 2px; background: #fff; }
.seek { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; background: none; cursor: pointer; appearance: none; -webkit-appearance: none; touch-action: none; }
.seek::-webkit-slider-runnable-track { height: 100%; background: none; }
.seek::-moz-range-track { height: 100%; background: none; }
.seek::-webkit-slider-thumb { appearance: none; -webkit-appearance: none; width: 0.9rem; height: 0.9rem; margin-top: 0.3rem; border: 0; border-radius: 50%; background: var(--_accent); }
.seek::-moz-range-thumb { width: 0.9rem; height: 0.9rem; border: 0; border-radius: 50%; background: var(--_accent); }
.seek:focus-visible { outline-offset: 0; border-radius: 0.3rem; }
.preview {
  position: absolute;
  bottom: 100%;
  padding: 0.25rem;
  border-radius: 0.4rem;
  background: rgb(0 0 0 / 85%);
  font-size: 0.8rem;
  text-align: center;
  transform: translateX(-50%);
  pointer-events: none;
}
.preview-label { display: block; max-width: 15rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.sprite { border-radius: 0.25rem; background-repeat: no-repeat; }

.menu-holder { position: relative; }
.menu {
  position: absolute;
  right: 0;
  bottom: calc(100% + 0.5rem);
  z-index: 1;
  min-width: 9rem;
  max-height: min(100cqh - 5rem, 18rem);
  padding: 0.3rem;
  overflow: auto;
  border-radius: 0.5rem;
  background: var(--_panel);
  color: var(--_text);
  box-shadow: 0 4px 20px rgb(0 0 0 / 50%);
}
.menu button { display: block; width: 100%; padding: 0.35rem 0.8rem 0.35rem 1.8rem; border: 0; border-radius: 0.3rem; background: none; text-align: left; white-space: nowrap; }
.menu button:hover, .menu button:focus-visible { background: rgb(255 255 255 / 14%); }
.menu button:focus-visible { outline-offset: -2px; }
.menu button[aria-checked="true"]::before { content: "✓"; position: absolute; margin-left: -1.2rem; }

@container (max-width: 44rem) {
  .protection-label, .volume { display: none; }
  .controls { padding-inline: 0.4rem; }
}
@container (max-width: 30rem) {
  .pip { display: none; }
  .control { min-width: 2.1rem; padding: 0 0.2rem; }
  .control svg { width: 1.35rem; height: 1.35rem; }
  .row { gap: 0; }
  .time { padding: 0 0.25rem; font-size: 0.78rem; }
  .note { padding: 0.75rem; }
  .note-title { font-size: 1.1rem; }
  .note-detail { margin-bottom: 0.6rem; font-size: 0.9rem; }
}
@media (prefers-reduced-motion: reduce) {
  .controls { transition: none; }
  .spinner, .stage[data-waiting]::after { animation-duration: 6s; }
}
@media (forced-colors: active) {
  .played { background: Highlight; }
}
`);
