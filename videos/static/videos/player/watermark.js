/* The viewer's name over the picture, for what is not burnt into it. It deters, and it can be cut away. */
const MOVES_EVERY_MS = 8000;
const PLACES = [
  [6, 10],
  [92, 16],
  [45, 44],
  [96, 70],
  [8, 66],
];

/** Lays `text` over `stage`, moves it, and puts it back when it is taken away or changed. Gives a way to end that. */
export function layWatermark(stage, text) {
  let mark = null;
  let place = Math.floor(Math.random() * PLACES.length);
  const observer = new MutationObserver(() => {
    if (!isUntouched(mark, stage, text)) lay();
  });
  function lay() {
    observer.disconnect();
    mark?.remove();
    mark = document.createElement("span");
    mark.className = "watermark";
    mark.setAttribute("aria-hidden", "true");
    mark.textContent = text;
    move();
    stage.append(mark);
    watch();
  }
  function watch() {
    observer.observe(stage, { childList: true });
    observer.observe(mark, { attributes: true, characterData: true, childList: true, subtree: true });
  }
  function move() {
    place = (place + 1) % PLACES.length;
    const [left, top] = PLACES[place];
    observer.disconnect();
    mark.style.setProperty("left", `${left}%`);
    mark.style.setProperty("translate", `-${left}%`); // long names stay inside narrow pictures
    mark.style.setProperty("top", `${top}%`);
    if (mark.isConnected) watch();
  }
  lay();
  const timer = setInterval(move, MOVES_EVERY_MS);
  return () => {
    clearInterval(timer);
    observer.disconnect();
    mark.remove();
  };
}

function isUntouched(mark, stage, text) {
  const attributes = mark.getAttributeNames().sort().join(" ");
  const isOurs = mark.className === "watermark" && attributes === "aria-hidden class style" && mark.style.length === 3;
  return mark.parentNode === stage && mark.textContent === text && isOurs;
}
