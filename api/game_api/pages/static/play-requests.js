// The page's requests to the server.

const TIMEOUT = 6000;

export class UnavailableError extends Error {}

/** Get JSON, or throw an UnavailableError with the reason. */
export async function get(path) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT) });
  } catch {
    throw new UnavailableError("The server cannot be reached.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new UnavailableError(`The realm cannot be seen: ${body.error ?? response.status}.`);
  return body;
}

/** Do a deed under a key. Return the text to show, and whether to retry under the same key. */
export async function act(player, path, parameters, key) {
  const query = new URLSearchParams(parameters).toString();
  const headers = { Accept: "application/json", "X-Player": inBytes(player), "Idempotency-Key": key };
  try {
    const response = await fetch(query ? `${path}?${query}` : path, {
      method: "POST",
      headers,
      signal: AbortSignal.timeout(2 * TIMEOUT),
    });
    return outcome(response, await response.json());
  } catch {
    return { ok: false, text: "No answer came. Try again: it will happen only once.", retry: true };
  }
}

function outcome(response, body) {
  if (response.ok) return { ok: true, text: body.answer };
  if (response.status === 401 || response.status === 403) return { ok: false, text: `Not allowed: ${body.error}.` };
  if (response.status === 409) return { ok: false, text: `Refused: ${body.error}.` };
  if (response.status === 429) {
    return { ok: false, text: `Not so fast: wait ${response.headers.get("Retry-After") ?? 1} s.`, retry: true };
  }
  if (response.status === 503 && body.outcome === "unknown") {
    return { ok: false, text: "It may have happened. Try again: it will happen only once.", retry: true };
  }
  if (response.status === 503) {
    return { ok: false, text: `Nothing happened: ${body.error}. Try again in a moment.`, retry: true };
  }
  return { ok: false, text: `Invalid: ${body.error}.` };
}

/** fetch takes the bytes of a header's value as characters up to 255. */
function inBytes(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

export function newKey() {
  // randomUUID exists only in secure contexts: HTTPS and localhost.
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
