/* The pictures on the buttons, drawn for a box of 24 by 24. */
const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h3.5v14H7zM13.5 5H17v14h-3.5z",
  replay: "M12 5V2L7 6.5 12 11V8a5 5 0 1 1-5 5H4.5A7.5 7.5 0 1 0 12 5z",
  volume: "M4 9v6h4l5 4.5v-15L8 9zM15.5 8.2v7.6a4.2 4.2 0 0 0 0-7.6zM15.5 4.4v1.9a6 6 0 0 1 0 11.4v1.9a7.9 7.9 0 0 0 0-15.2z",
  muted: "M4 9v6h4l5 4.5v-15L8 9zM21 9.4 19.6 8 17.5 10.1 15.4 8 14 9.4l2.1 2.1-2.1 2.1 1.4 1.4 2.1-2.1 2.1 2.1 1.4-1.4-2.1-2.1z",
  captions: "M4 5h16a1.5 1.5 0 0 1 1.5 1.5v11A1.5 1.5 0 0 1 20 19H4a1.5 1.5 0 0 1-1.5-1.5v-11A1.5 1.5 0 0 1 4 5zm6.8 5.4A3 3 0 1 0 10.8 13.6L9.6 12.9a1.5 1.5 0 1 1 0-1.8zm7 0a3 3 0 1 0 0 3.2l-1.2-.7a1.5 1.5 0 1 1 0-1.8z",
  settings: "M3 6h8v2H3zm12 0h6v2h-6zM12 4.5h2v5h-2zM3 11h3v2H3zm7 0h11v2H10zM7 9.5h2v5H7zM3 16h10v2H3zm14 0h4v2h-4zm-3-1.5h2v5h-2z",
  speed: "M12 4a9 9 0 0 0-9 9c0 2.4.9 4.5 2.5 6h13a9 9 0 0 0-6.5-15zm4.7 4.8-3.2 5.4a1.7 1.7 0 1 1-1.2-1.2zM5 13a7 7 0 0 1 9.2-6.6l-1.6 1A5.2 5.2 0 0 0 6.8 13z",
  chapters: "M4 6h2v2H4zm4 0h12v2H8zm-4 5h2v2H4zm4 0h12v2H8zm-4 5h2v2H4zm4 0h12v2H8z",
  pip: "M3 5h18v14H3zm2 2v10h14V7zm7 4h6v5h-6z",
  fullscreen: "M4 4h6v2H6v4H4zm10 0h6v6h-2V6h-4zM4 14h2v4h4v2H4zm14 0h2v6h-6v-2h4z",
  shrink: "M8 4h2v6H4V8h4zm6 0h2v4h4v2h-6zM4 14h6v6H8v-4H4zm10 0h6v2h-4v4h-2z",
  lock: "M7 10V8a5 5 0 0 1 10 0v2h1.5v10h-13V10zm2 0h6V8a3 3 0 0 0-6 0z",
  open: "M7 10V8a5 5 0 0 1 9.6-2l-1.8.9A3 3 0 0 0 9 8v2h9.5v10h-13V10z",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
