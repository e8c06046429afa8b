// How a file is sent, by the kind of its ticket. A new kind of ticket is one more entry here.

const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10000];

const isWorthRepeating = (xhr) => xhr.status >= 500 || xhr.status === 429;

/** Where one request of an upload in parts is to be sent; asks again while our server cannot be reached. */
async function signed(address, request) {
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  for (const delay of [...RETRY_DELAYS_MS, null]) {
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(request) }).catch(() => null);
    if (answer?.ok) return answer.json();
    if (delay === null || (answer && !isWorthRepeating(answer))) throw await refusalOf(answer);
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
}

async function refusalOf(answer) {
  const status = answer?.status ?? 0;
  return Object.assign(new Error(`The server answered ${status}.`), { status, body: (await answer?.text()) ?? "" });
}

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
  s3_multipart: {
    isResumable: true,
    plugin: "AwsS3",
    meta: () => ({}),
    options: (ticket) => ({
      shouldUseMultipart: true,
      getChunkSize: () => ticket.part_size,
      signRequest: (request) => signed(`${ticket.url}sign/`, request),
    }),
    // Our server has begun it already and knows what is at the bucket: every start is a going on.
    prepare: (uppy, id, ticket, file, onAccepted) => {
      uppy.setFileState(id, { s3Multipart: { uploadId: "upload", key: "upload" } });
      uppy.on("s3-multipart:part-uploaded", (_, part) => {
        onAccepted(Math.min(part.PartNumber * ticket.part_size, file.size));
      });
    },
  },
};

const SHARED_OPTIONS = {
  XHRUpload: { timeout: 0, limit: 1, getResponseData: () => ({}), shouldRetry: isWorthRepeating },
  Tus: { limit: 1 },
  AwsS3: { limit: 1 },
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
  kind.prepare?.(uppy, id, ticket, file, onAccepted);
  return { uppy, id };
}
