// What is needed to go on with an upload after the page was reloaded: its ticket, and which file it was.

const PREFIX = "videos.upload.";

const key = (videoId) => PREFIX + videoId;

export function remember(videoId, upload) {
  try {
    localStorage.setItem(key(videoId), JSON.stringify(upload));
  } catch (error) {
    console.warn("This upload cannot be continued after a reload:", error.name);
  }
}

export function recall(videoId) {
  try {
    return JSON.parse(localStorage.getItem(key(videoId)));
  } catch (error) {
    console.warn("An unfinished upload cannot be read:", error.name);
    return null;
  }
}

export function forget(videoId) {
  try {
    localStorage.removeItem(key(videoId));
  } catch (error) {
    console.warn("A finished upload cannot be forgotten:", error.name);
  }
}

export function identityOf(file) {
  return { name: file.name, size: file.size, lastModified: file.lastModified };
}

export function isSame(file, identity) {
  return Object.entries(identityOf(file)).every(([name, value]) => identity[name] === value);
}
