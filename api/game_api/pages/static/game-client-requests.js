// What game-client.js sends, and what the responses mean for the events of a request.

/**
 * @typedef {import("./game-client-queue.js").Queued} Queued
 * @typedef {{done: Queued[], drops: import("./game-client-queue.js").Drop[], unwritten: Queued[], stays: boolean,
 *   halve: boolean, needsToken: boolean, isLost: boolean, retryAfter: number, token: string | null,
 *   detail: string}} Verdict  Events in none of the lists stay, and remain in doubt.
 */

const WITH_RESULTS = [200, 207, 400, 503];

/** Return text as a header's value: `fetch` takes the bytes of one as characters up to 255. @param {string} text */
export function headerValue(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

/** @param {Queued[]} events @param {number} now */
export function bodyOf(events, now) {
  return `[${events.map(({ body }) => `${body.slice(0, -1)},"sent_at":${now}}`)}]`;
}

/** @param {string} text */
export function compressed(text) {
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
}

/** Without a response, nobody knows whether the events were written. @param {string} detail @returns {Verdict} */
export function lost(detail) {
  /** @type {Omit<Verdict, "stays" | "isLost" | "detail">} */
  const nothing = { done: [], drops: [], unwritten: [], halve: false, needsToken: false, retryAfter: 0, token: null };
  return { ...nothing, stays: true, isLost: true, detail };
}

/** Judge the response to these events. @param {Response} response @param {string} text @param {Queued[]} batch
 * @returns {Verdict} */
export function judge(response, text, batch) {
  const { status, headers } = response;
  const problem = parsed(text);
  const verdict = { ...lost(`${status} ${problem.detail ?? ""}`.trim()), isLost: false,
    retryAfter: milliseconds(headers.get("Retry-After")), token: headers.get("Player-Token") };
  const { results } = problem;
  if (WITH_RESULTS.includes(status) && Array.isArray(results) && results.length === batch.length) {
    batch.forEach((event, index) => judgeResult(verdict, event, results[index] ?? {}));
    verdict.stays = verdict.done.length + verdict.drops.length < batch.length;
    return verdict;
  }
  const isClientsError = status >= 400 && status < 500 && status !== 408;
  if (isClientsError || headers.get("Event-Outcome") === "refused") verdict.unwritten = batch;
  const isFields = status === 403 && batch.some(({ body }) => Object.hasOwn(JSON.parse(body), problem.field));
  verdict.halve = status === 400 || status === 413 || isFields;
  verdict.needsToken = (status === 401 || status === 403) && !verdict.halve;
  verdict.stays = !verdict.halve && !verdict.needsToken;
  if (verdict.halve && batch.length === 1) {
    const [event] = batch;
    verdict.drops = [{ event, reason: status === 413 ? "too-large" : "invalid", detail: verdict.detail }];
    verdict.unwritten = [];
  }
  return verdict;
}

/** @param {Verdict} verdict @param {Queued} event
 * @param {{status?: number, detail?: string, outcome?: string}} result */
function judgeResult(verdict, event, { status, detail = "", outcome }) {
  if (status === 200) verdict.done.push(event);
  else if (status === 400) verdict.drops.push({ event, reason: "invalid", detail: String(detail).slice(0, 500) });
  else if (outcome === "refused") verdict.unwritten.push(event);
}

/** @param {string} text @returns {Record<string, any>} */
function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** Read a Retry-After, which is a number of seconds or a date; 0 for anything else. @param {string | null} given */
function milliseconds(given) {
  if (!given) return 0;
  const wait = /^\s*\d+\s*$/.test(given) ? Number(given) * 1000 : Date.parse(given) - Date.now();
  return Math.max(0, wait || 0);
}
