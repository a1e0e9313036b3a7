/**
 * The SDK for browsers: delivers each event of a game once, by the rules of docs/client.md.
 *
 * Pages of one player share a queue, and a lock lets one page at a time send from it. It needs a secure context, which
 * is HTTPS or localhost, and no other library.
 */

import { MOST_DOUBT, Queue, SENT_AT_BYTES, waitOf } from "./game-client-queue.js";
import { bodyOf, compressed, headerValue, judge, lost } from "./game-client-requests.js";

const PATH = "/v1/events";
const MOST_EVENTS = 1000;
const MOST_EVENT_BYTES = 64 << 10;
/** Browsers send at most 64 KiB by requests that outlive their page. */
const MOST_LEAVING_BYTES = 60 << 10;
const IDLE = 30 * 60_000;
const TIMEOUT = 30_000;
const LONGEST_TIMER = 3_600_000;
const AFTER_ERROR = 60_000;
const MADE = ["event_type", "event_id", "occurred_at", "sent_at", "sequence", "session_id", "device_id", "player"];

/**
 * @typedef {import("./game-client-queue.js").Queued} Queued
 * @typedef {import("./game-client-queue.js").Dropped} Dropped
 */

/** The event cannot be recorded; it took no sequence number. */
export class InvalidEventError extends Error {}

/** Delivers one player's events, each once. */
export class GameClient {
  #options;
  #url;
  #name;
  /** @type {Queue | null} */ #queue = null;
  /** @type {string | null} The device's id, which exists while there is consent. */ #device = null;
  #ready;
  #isReady = false;
  #isClosed = false;
  #needsToken = false;
  #session = newSession();
  #context;
  #most;
  #channel;
  #listening = new AbortController();
  #request = new AbortController();
  /** @type {Promise<unknown> | null} */ #sending = null;
  #flushing = 0;
  #timer = 0;
  #due = Infinity;
  /** Whether a response came since the last failure; if not, the service is tried before events are put in doubt. */
  #hasAnswered = false;
  /** Whether events may be sent on leaving: the last request finished all of its events. */
  #isTrusted = navigator.onLine;
  #isLeaving = false;
  /** @type {Map<string, Queued>} This page's events that may be sent on leaving. */ #mine = new Map();

  /**
   * @param {{url?: string, player?: string, token?: string, context?: Record<string, unknown>, batchEvents?: number,
   *   batchSeconds?: number, mostEvents?: number, mostBytes?: number, firstRetrySeconds?: number,
   *   clock?: () => number}} [options]  `context` holds fields that every event gets, such as `platform`.
   */
  constructor(options = {}) {
    if (!globalThis.isSecureContext) throw new Error("GameClient needs a secure context: HTTPS or localhost");
    this.#options = { batchEvents: 100, batchSeconds: 5, mostEvents: 100_000, mostBytes: 64 << 20, firstRetrySeconds: 1,
      clock: Date.now, ...options };
    if (!(this.#options.batchEvents >= 1 && this.#options.batchEvents <= MOST_EVENTS)) {
      throw new RangeError(`batchEvents: expected 1 to ${MOST_EVENTS}, got ${this.#options.batchEvents}`);
    }
    this.#url = new URL(options.url ?? "/", location.href).href.replace(/\/$/, "");
    this.#name = `game-client ${this.#url} ${options.player ?? ""}`;
    this.#context = { ...options.context };
    this.#most = this.#options.batchEvents;
    this.#channel = new BroadcastChannel(this.#name);
    this.#listen();
    this.#ready = this.#load();
    // Each call reports it, such as that the browser blocks storage.
    this.#ready.catch(() => {});
  }

  /**
   * Store an event on disk and return its id, or null if it was not stored: without consent, or dropped.
   * @param {string} type  @param {Record<string, unknown>} [fields]  @returns {Promise<string | null>}
   */
  async record(type, fields = {}) {
    // Without waiting, so that an event that is recorded while the page is left is not lost.
    if (!this.#isReady) await this.#ready;
    this.#check();
    if (!this.#device || !this.#queue) return null;
    const now = this.#options.clock();
    if (this.#session.latest !== null && now - this.#session.latest > IDLE) this.#session = newSession();
    const session = this.#session;
    const event = this.#event(type, fields, now);
    session.sequence++;
    session.latest = now;
    if (this.#isTrusted && navigator.onLine) {
      event.leaving = now;
      this.#mine.set(event.event_id, event);
    }
    if (this.#isLeaving) this.#leave();
    const stored = await this.#queue.append(this.#device, event, this.#options, now);
    if (stored === "stored") {
      this.#schedule(this.#queue.events >= this.#options.batchEvents ? 0 : this.#options.batchSeconds * 1000);
      return event.event_id;
    }
    this.#note([event.event_id]);
    if (stored === "dropped") return null;
    // Another page withdrew the consent meanwhile.
    await this.#load();
    return this.record(type, fields);
  }

  /** Send what waits, for at most so many seconds; tell whether the queue is empty. @param {number} [seconds] */
  async flush(seconds = 30) {
    await this.#ready;
    this.#check();
    const end = performance.now() + seconds * 1000;
    this.#flushing++;
    try {
      for (;;) {
        await Promise.race([this.#send(), sleep(end - performance.now())]);
        if (!await this.waiting()) return true;
        const left = end - performance.now();
        if (left <= 0) return false;
        await sleep(Math.min(left, 50));
      }
    } finally {
      this.#flushing--;
    }
  }

  /** Begin to store and send events; or end the request underway, and delete everything but the player's token.
   * @param {boolean} isGiven */
  async consent(isGiven) {
    await this.#ready;
    this.#check();
    if (isGiven) {
      this.#queue ??= await Queue.open(this.#name, true);
      await this.#queue?.begin();
      await this.#load();
    } else {
      this.#forget();
      await this.#queue?.forget();
    }
    this.#channel.postMessage({ isGiven });
  }

  /** Start a new session; return its id. */
  session() {
    this.#session = newSession();
    return this.#session.id;
  }

  /** Set fields that the following events get; null removes one. @param {Record<string, unknown>} fields */
  context(fields) {
    const given = Object.entries({ ...this.#context, ...fields });
    this.#context = Object.fromEntries(given.filter(([, value]) => value !== null));
  }

  /** Use a new token, if one is given, and send again after a refusal. @param {string} [token] */
  authorize(token) {
    if (token !== undefined) this.#options.token = token;
    this.#needsToken = false;
    this.#schedule(0);
  }

  /** Whether consent was given. */
  async hasConsent() {
    await this.#ready;
    return this.#device !== null;
  }

  /** How many events the queue holds. */
  async waiting() {
    await this.#ready;
    return (await this.#queue?.state())?.events ?? 0;
  }

  /** What was dropped, the oldest first; the newest 10,000 ranges. @returns {Promise<Dropped[]>} */
  async dropped() {
    await this.#ready;
    return await this.#queue?.dropped() ?? [];
  }

  /** How many events were dropped, with those whose ranges are no longer listed. */
  async droppedEvents() {
    await this.#ready;
    return (await this.#queue?.state())?.dropped ?? 0;
  }

  /** Flush and end; tell whether the queue is empty. The next client of this player sends what is left.
   * @param {number} [seconds] */
  async close(seconds = 5) {
    if (this.#isClosed) return true;
    const isEmpty = await this.flush(seconds);
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#request.abort();
    this.#listening.abort();
    await this.#sending;
    await this.#stay();
    this.#channel.postMessage({ isLeft: true });
    this.#channel.close();
    this.#queue?.close();
    return isEmpty;
  }

  #check() {
    if (this.#isClosed) throw new Error("the client is closed");
  }

  async #load() {
    this.#queue ??= await Queue.open(this.#name, false);
    const state = await this.#queue?.state();
    this.#device = state?.device_id ?? null;
    this.#options.token ??= await this.#queue?.token();
    this.#isReady = true;
    if (state?.events) this.#schedule(0);
  }

  #forget() {
    this.#device = null;
    this.#mine.clear();
    this.#session = newSession();
    this.#request.abort();
  }

  #listen() {
    const { signal } = this.#listening;
    const again = () => this.#schedule(0);
    addEventListener("online", again, { signal });
    addEventListener("pageshow", () => { this.#isLeaving = false; again(); }, { signal });
    addEventListener("pagehide", () => {
      this.#isLeaving = true;
      this.#leave();
      this.#channel.postMessage({ isLeft: true });
    }, { signal });
    // The last moment that a phone announces.
    document.addEventListener("visibilitychange", again, { signal });
    this.#channel.addEventListener("message", ({ data }) => {
      this.#note(data.finished ?? []);
      if (data.isGiven === false) this.#forget();
      if (data.isGiven) this.#load();
      if (data.isLeft) this.#schedule(this.#options.batchSeconds * 1000);
    }, { signal });
  }

  /** @param {string} type @param {Record<string, unknown>} fields @param {number} now @returns {Queued} */
  #event(type, fields, now) {
    const refused = MADE.find((name) => Object.hasOwn(fields, name));
    if (refused) throw new InvalidEventError(`${refused}: expected none: the client makes it`);
    const { id: session_id, sequence } = this.#session;
    const event_id = crypto.randomUUID();
    let body;
    try {
      const made = { event_id, occurred_at: now, session_id, sequence, device_id: this.#device };
      body = JSON.stringify({ event_type: type, ...made, ...this.#context, ...fields }, refuseNotFinite);
    } catch (error) {
      throw new InvalidEventError(`${type}: cannot be encoded as JSON: ${messageOf(error)}`);
    }
    const bytes = new TextEncoder().encode(body).length;
    if (bytes > MOST_EVENT_BYTES) {
      throw new InvalidEventError(`${type}: expected at most ${MOST_EVENT_BYTES} bytes of JSON, got ${bytes}`);
    }
    return { event_id, session_id, sequence, body, bytes };
  }

  /** @param {number} milliseconds */
  #schedule(milliseconds) {
    const wait = Math.min(Math.max(milliseconds, 0), LONGEST_TIMER);
    if (this.#isClosed || performance.now() + wait >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = performance.now() + wait;
    this.#timer = setTimeout(() => { this.#due = Infinity; this.#send(); }, wait);
  }

  /** Send batches from the queue that all pages share, one page at a time. */
  #send() {
    const deliver = async () => {
      while (!this.#isClosed && this.#device && this.#queue && await this.#attempt(this.#queue));
    };
    this.#sending ??= navigator.locks.request(this.#name, { signal: this.#listening.signal }, deliver)
      .catch((error) => {
        if (this.#isClosed) return;
        // Such as a full disk: the events stay in the queue.
        console.warn("game-client: the events stay in the queue:", error);
        this.#schedule(AFTER_ERROR);
      })
      .finally(() => { this.#sending = null; });
    return this.#sending;
  }

  /** Send one batch; tell whether to send another one at once. @param {Queue} queue */
  async #attempt(queue) {
    const { clock, batchEvents, batchSeconds, firstRetrySeconds } = this.#options;
    const request = this.#request = new AbortController();
    const state = await queue.state();
    if (!state?.events) return false;
    const pause = waitOf(state, clock());
    if (pause || this.#needsToken || !navigator.onLine) {
      if (pause) this.#schedule(pause);
      await this.#stay();
      return false;
    }
    const isReached = this.#hasAnswered || await this.#isReached(request);
    const batch = isReached ? await queue.take(this.#most, clock()) : [];
    // All that it might have taken was in doubt for too long.
    if (isReached && !batch.length) return true;
    const verdict = isReached ? await this.#post(batch, request) : lost("the service cannot be reached");
    const { wait, left } = await queue.settle(state.device_id, verdict, firstRetrySeconds * 1000, clock());
    const finished = [...verdict.done, ...verdict.drops.map(({ event }) => event)].map(({ event_id }) => event_id);
    this.#note(finished);
    this.#channel.postMessage({ finished });
    this.#hasAnswered = !verdict.isLost;
    this.#needsToken = verdict.needsToken;
    this.#most = verdict.halve && batch.length > 1 ? batch.length >> 1 : batchEvents;
    if (verdict.token) this.#options.token = verdict.token;
    if (verdict.needsToken) console.warn("game-client: nothing is sent until it is authorized:", verdict.detail);
    this.#isTrusted = !verdict.stays && !verdict.needsToken;
    if (!this.#isTrusted) {
      if (verdict.stays) this.#schedule(wait);
      await this.#stay();
      return false;
    }
    if (left && (verdict.halve || this.#flushing || left >= batchEvents)) return true;
    if (left) this.#schedule(batchSeconds * 1000);
    return false;
  }

  /** Tell whether the service can be reached: this puts no events in doubt, as a lost request would.
   * @param {AbortController} request */
  async #isReached(request) {
    return within(request, async (signal) => {
      const response = await fetch(`${this.#url}/healthz`, { mode: "no-cors", cache: "no-store", signal });
      return response.ok || response.type === "opaque";
    }).catch(() => false);
  }

  /** @param {Queued[]} batch @param {AbortController} request */
  async #post(batch, request) {
    const body = await compressed(bodyOf(batch, this.#options.clock()));
    const headers = { ...this.#headers(), "Content-Encoding": "gzip" };
    const keepalive = document.hidden && body.byteLength <= MOST_LEAVING_BYTES;
    return within(request, async (signal) => {
      const response = await fetch(this.#url + PATH, { method: "POST", headers, body, keepalive, signal });
      return judge(response, await response.text(), batch);
    }).catch((error) => lost(`no response: ${messageOf(error)}`));
  }

  #headers() {
    const { player, token } = this.#options;
    return {
      Accept: "application/json",
      "Content-Type": "application/json",
      ...(player && { "X-Player": headerValue(player) }),
      ...(token && { Authorization: `Bearer ${token}` }),
    };
  }

  /** Note that these events are no longer in the queue. @param {string[]} ids */
  #note(ids) {
    for (const id of ids) this.#mine.delete(id);
  }

  /** Keep the events that wait while the service does not take them: leaving the page will not send them. */
  async #stay() {
    this.#isTrusted = false;
    const ids = [...this.#mine.keys()];
    this.#mine.clear();
    if (ids.length) await this.#queue?.stay(ids);
  }

  /** Send this page's events by a request that outlives it. The queue has them as in doubt since they were recorded. */
  #leave() {
    if (!this.#isTrusted || !navigator.onLine) return;
    const now = this.#options.clock();
    const events = [];
    let bytes = 2;
    for (const event of this.#mine.values()) {
      if (Math.abs(now - (event.leaving ?? 0)) > MOST_DOUBT) continue;
      bytes += event.bytes + SENT_AT_BYTES;
      if (bytes > MOST_LEAVING_BYTES) break;
      events.push(event);
    }
    if (!events.length) return;
    this.#note(events.map(({ event_id }) => event_id));
    const request = { method: "POST", headers: this.#headers(), body: bodyOf(events, now), keepalive: true };
    fetch(this.#url + PATH, request).catch(() => {});
  }
}

/** @returns {{id: string, sequence: number, latest: number | null}} */
function newSession() {
  return { id: crypto.randomUUID(), sequence: 0, latest: null };
}

/** @param {unknown} error */
function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/** JSON has no such numbers, and JSON.stringify would write null. @param {string} _name @param {unknown} value */
function refuseNotFinite(_name, value) {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} is no JSON number`);
  return value;
}

/** Do work that ends with the request, or after 30 seconds. @template T @param {AbortController} request
 * @param {(signal: AbortSignal) => Promise<T>} work @returns {Promise<T>} */
async function within(request, work) {
  const timer = setTimeout(() => request.abort(), TIMEOUT);
  try {
    return await work(request.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** @param {number} milliseconds @returns {Promise<void>} */
function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}
