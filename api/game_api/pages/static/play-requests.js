// What the page asks the server.

const PATIENCE = 6000;

export class AwayError extends Error {}

/** Get JSON; an AwayError says why there is none. */
export async function look(path) {
  let response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new AwayError("The server cannot be reached.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new AwayError(`The realm cannot be seen: ${body.error ?? response.status}.`);
  return body;
}

/** Do a deed under a key: what is to be told of it, and whether it is to be asked again under the same key. */
export async function act(player, path, parameters, key) {
  const query = new URLSearchParams(parameters).toString();
  const headers = { Accept: "application/json", "X-Player": inBytes(player), "Idempotency-Key": key };
  try {
    const response = await fetch(query ? `${path}?${query}` : path, {
      method: "POST",
      headers,
      signal: AbortSignal.timeout(2 * PATIENCE),
    });
    return told(response, await response.json());
  } catch {
    return { good: false, text: "No answer came. Ask again: it will happen only once.", again: true };
  }
}

function told(response, body) {
  if (response.ok) return { good: true, text: body.answer };
  if (response.status === 409) return { good: false, text: `Refused: ${body.error}.` };
  if (response.status === 429) {
    return { good: false, text: `Not so fast: wait ${response.headers.get("Retry-After") ?? 1} s.`, again: true };
  }
  if (response.status === 503 && body.outcome === "unknown") {
    return { good: false, text: "It may have happened. Ask again: it will happen only once.", again: true };
  }
  if (response.status === 503) {
    return { good: false, text: `Nothing happened: ${body.error}. Try again in a moment.`, again: true };
  }
  return { good: false, text: `That cannot be: ${body.error}.` };
}

/** A header's value is bytes, which fetch takes as characters up to 255. */
function inBytes(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

export function newKey() {
  // Only pages by https or from this machine have randomUUID.
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
