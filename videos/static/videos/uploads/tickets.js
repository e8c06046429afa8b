// How a file is sent, by the kind of its ticket. A new kind of ticket is one more entry here.

const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10000];

const isWorthRepeating = (xhr) => xhr.status >= 500 || xhr.status === 429;

const KINDS = {
  form_post: {
    isResumable: false,
    plugin: "XHRUpload",
    meta: (ticket) => ticket.fields,
    options: (ticket) => ({
      endpoint: ticket.url,
      method: "POST",
      formData: true,
      fieldName: ticket.file_field,
      allowedMetaFields: Object.keys(ticket.fields),
    }),
  },
  put: {
    isResumable: false,
    plugin: "XHRUpload",
    meta: () => ({}),
    options: (ticket) => ({ endpoint: ticket.url, method: "PUT", formData: false, headers: ticket.headers }),
  },
  tus: {
    isResumable: true,
    plugin: "Tus",
    meta: (ticket) => ticket.metadata,
    options: (ticket) => ({
      ...(ticket.upload_url ? { uploadUrl: ticket.upload_url } : { endpoint: ticket.endpoint }),
      headers: ticket.headers,
      chunkSize: ticket.chunk_size,
      allowedMetaFields: Object.keys(ticket.metadata),
      retryDelays: RETRY_DELAYS_MS,
      // What is needed to go on after a reload is kept with the video, not by the file's name.
      storeFingerprintForResuming: false,
    }),
  },
};

const SHARED_OPTIONS = {
  XHRUpload: { timeout: 0, limit: 1, getResponseData: () => ({}), shouldRetry: isWorthRepeating },
  Tus: { limit: 1 },
};

export function isKnown(ticket) {
  return ticket.kind in KINDS;
}

export function isResumable(ticket) {
  return KINDS[ticket.kind].isResumable;
}

export function isOver(ticket) {
  return Date.parse(ticket.expires_at) <= Date.now();
}

/** An Uppy that holds this one file and sends it by this ticket, once `upload()` is called.
 *
 * `onAccepted` hears how many bytes a host of resumable uploads has kept.
 */
export function sender(library, ticket, file, onAccepted) {
  const kind = KINDS[ticket.kind];
  const uppy = new library.Uppy({ autoProceed: false, restrictions: { maxNumberOfFiles: 1 } });
  uppy.use(library[kind.plugin], {
    ...SHARED_OPTIONS[kind.plugin],
    ...kind.options(ticket),
    onChunkComplete: (_, bytesAccepted) => onAccepted(bytesAccepted),
  });
  const id = uppy.addFile({ name: file.name, type: file.type, data: file });
  uppy.setFileMeta(id, kind.meta(ticket));
  return { uppy, id };
}
