// The page's requests to the server.

import { headerValue } from "./game-client-requests.js";

const TIMEOUT = 6000;

export class UnavailableError extends Error {}

/** Get JSON, or throw an UnavailableError with the reason. */
export async function get(path) {
  const { response, body } = await ask(path);
  if (!response.ok) throw unavailable(response, body);
  return body;
}

/** Whom the server takes the player for, with the hero; null if it wants a token that this browser does not have. */
export async function me(player) {
  const { response, body } = await ask("/v1/me", { headers: player ? { "X-Player": headerValue(player) } : {} });
  if (response.status === 401 || response.status === 403) return null;
  if (!response.ok) throw unavailable(response, body);
  return body;
}

/** Delete the cookie with the player's token, or throw an UnavailableError: no script can read or delete it. */
export async function signOut() {
  const { response, body } = await ask("/play/sign-out", { method: "POST" });
  if (!response.ok) throw unavailable(response, body);
}

async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  try {
    const response = await fetch(path, { ...options, headers, signal: AbortSignal.timeout(TIMEOUT) });
    return { response, body: await response.json().catch(() => ({})) };
  } catch {
    throw new UnavailableError("The server cannot be reached.");
  }
}

function unavailable(response, body) {
  return new UnavailableError(`The realm cannot be seen: ${body.error ?? body.detail ?? response.status}.`);
}

/** Do a deed under a key. Return the text to show, and whether to retry under the same key. */
export async function act(player, action, parameters, key) {
  const headers = { "Content-Type": "application/json", "X-Player": headerValue(player), "Idempotency-Key": key };
  try {
    const response = await fetch(`/v1/actions/${action}`, {
      method: "POST",
      headers,
      body: JSON.stringify(parameters),
      signal: AbortSignal.timeout(2 * TIMEOUT),
    });
    return outcome(response, await response.json());
  } catch {
    return { ok: false, text: "No answer came. Try again: it will happen only once.", retry: true };
  }
}

function outcome(response, body) {
  if (response.ok) return { ok: true, text: body.answer };
  // A problem details object; a proxy's error may be another one.
  const text = `${[body.title ?? `Error ${response.status}`, body.detail].filter(Boolean).join(": ")}.`;
  if (response.status === 429) {
    return { ok: false, text: `${text} Try again in ${response.headers.get("Retry-After") ?? 1} s.`, retry: true };
  }
  if (response.status === 503 && body.outcome === "refused") {
    return { ok: false, text: `${text} Try again in a moment.`, retry: true };
  }
  if (response.status >= 500) return { ok: false, text: `${text} Try again: it will happen only once.`, retry: true };
  return { ok: false, text };
}

export function newKey() {
  // randomUUID exists only in secure contexts: HTTPS and localhost.
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
