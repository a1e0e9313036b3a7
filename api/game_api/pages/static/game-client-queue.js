// The queue of game-client.js in IndexedDB: all pages of a player share it, and every change is one transaction.

const STORES = ["events", "facts", "dropped"];
const STATE = "state";
const TOKEN = "token";
const MOST_RANGES = 10_000;
const MOST_BATCH_BYTES = 512_000;
const LONGEST_RETRY = 300_000;
/** What `sent_at` adds to an event, at most. */
export const SENT_AT_BYTES = 40;
/** How long an event in doubt is sent again: the service counts a key once for an hour longer. */
export const MOST_DOUBT = 23 * 3_600_000;

/**
 * @typedef {{event_id: string, session_id: string, sequence: number, body: string, bytes: number, doubt?: number,
 *   leaving?: number, position?: number}} Queued  An event; `body` is its JSON. `doubt` is when it was first sent with
 *   an unknown outcome, and `leaving` since when its page may send it at any moment, by being left.
 * @typedef {{session_id: string, first: number, last: number, reason: Reason, detail: string, at: number}} Dropped
 *   The events of a session from the sequence number `first` to `last`, both included; `at` is the device's time.
 * @typedef {"queue-full" | "invalid" | "too-large" | "in-doubt"} Reason
 * @typedef {{event: Queued, reason: Reason, detail: string}} Drop
 * @typedef {{device_id: string, events: number, bytes: number, dropped: number, failures: number, from: number,
 *   until: number}} State  It exists while there is consent. Nothing is sent from the time `from` to `until`.
 * @typedef {Record<"events" | "facts" | "dropped", IDBObjectStore>} Stores
 */

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

export class Queue {
  #database;
  /** How many events there were after this page's last change. */
  events = 0;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
    database.onversionchange = () => database.close();
  }

  /** Open a queue; return null if there is none and none should be made. @param {string} name @param {boolean} make */
  static async open(name, make) {
    const request = indexedDB.open(name, 1);
    let isAbsent = false;
    request.onupgradeneeded = () => {
      // Without consent nothing is stored, not even an empty database.
      isAbsent = !make;
      if (isAbsent) return request.transaction?.abort();
      const key = { keyPath: "position", autoIncrement: true };
      request.result.createObjectStore("events", key).createIndex("event_id", "event_id");
      request.result.createObjectStore("dropped", key);
      request.result.createObjectStore("facts");
    };
    try {
      return new Queue(await done(request));
    } catch (error) {
      if (isAbsent) return null;
      throw error;
    }
  }

  /** @returns {Promise<State | undefined>} */
  state() {
    return this.#change(({ facts }) => done(facts.get(STATE)), "readonly");
  }

  /** @returns {Promise<string | undefined>} */
  token() {
    return this.#change(({ facts }) => done(facts.get(TOKEN)), "readonly");
  }

  /** @returns {Promise<Dropped[]>} */
  async dropped() {
    const ranges = await this.#change(({ dropped }) => done(dropped.getAll()), "readonly");
    return ranges.map(({ position, ...range }) => range);
  }

  /** Give the device an id, which says that there is consent. */
  begin() {
    const state = { device_id: crypto.randomUUID(), events: 0, bytes: 0, dropped: 0, failures: 0, from: 0, until: 0 };
    return this.#change(async ({ facts }) => {
      if (!await done(facts.get(STATE))) facts.put(state, STATE);
    });
  }

  /** Delete everything but the token, which only proves the player's name. */
  forget() {
    return this.#change(({ events, facts, dropped }) => {
      events.clear();
      dropped.clear();
      facts.delete(STATE);
    });
  }

  /** Store an event of this device, or drop it; "forgotten" says that the consent was withdrawn.
   * @param {string} device @param {Queued} event @param {{mostEvents: number, mostBytes: number}} limits
   * @param {number} now @returns {Promise<"stored" | "dropped" | "forgotten">} */
  async append(device, event, { mostEvents, mostBytes }, now) {
    /** @type {Drop} */
    const full = { event, reason: "queue-full", detail: "" };
    try {
      return await this.#change(async (stores) => {
        const state = await done(stores.facts.get(STATE));
        if (state?.device_id !== device) return "forgotten";
        const isFull = state.events >= mostEvents || state.bytes + event.bytes > mostBytes;
        if (isFull) await drop(stores, state, full, now);
        else {
          stores.events.add(event);
          state.events++;
          state.bytes += event.bytes;
        }
        stores.facts.put(state, STATE);
        this.events = state.events;
        return isFull ? "dropped" : "stored";
      });
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "QuotaExceededError") || !mostEvents) throw error;
      // The browser's own limit.
      return this.append(device, event, { mostEvents: 0, mostBytes: 0 }, now);
    }
  }

  /** Take the oldest events and mark them as in doubt; drop those that have been for too long.
   * @param {number} most @param {number} now @returns {Promise<Queued[]>} as they were before */
  take(most, now) {
    return this.#change(async (stores) => {
      const state = await done(stores.facts.get(STATE));
      if (!state) return [];
      const batch = [];
      let bytes = 2;
      for (const event of await done(stores.events.getAll(null, most))) {
        const since = Math.min(event.doubt ?? Infinity, event.leaving ?? Infinity);
        if (since < Infinity && Math.abs(now - since) > MOST_DOUBT) {
          remove(stores, state, event);
          const detail = "an attempt more than 23 hours ago may have written it";
          await drop(stores, state, { event, reason: "in-doubt", detail }, now);
          continue;
        }
        bytes += event.bytes + SENT_AT_BYTES;
        if (batch.length && bytes > MOST_BATCH_BYTES) break;
        batch.push(event);
        stores.events.put({ ...event, doubt: event.doubt ?? now });
      }
      stores.facts.put(state, STATE);
      return batch;
    });
  }

  /** Write down the outcome of an attempt; return the wait before the next one, and how many events are left.
   * @param {string} device @param {import("./game-client-requests.js").Verdict} verdict
   * @param {number} firstRetry @param {number} now */
  settle(device, verdict, firstRetry, now) {
    return this.#change(async (stores) => {
      const { facts, events } = stores;
      const state = await done(facts.get(STATE));
      if (state?.device_id !== device) return { wait: 0, left: 0 };
      for (const event of verdict.done) remove(stores, state, event);
      for (const dropped of verdict.drops) {
        remove(stores, state, dropped.event);
        await drop(stores, state, dropped, now);
      }
      for (const event of verdict.unwritten) events.put(event);
      if (verdict.done.length + verdict.drops.length) state.failures = 0;
      state.from = state.until = now;
      if (verdict.stays) {
        const usual = Math.min(LONGEST_RETRY, firstRetry * 2 ** Math.min(state.failures++, 30));
        const asked = (verdict.retryAfter ?? 0) * (1 + Math.random() / 10);
        state.until = now + Math.max(asked, usual * (1 + Math.random()) / 2);
      }
      if (verdict.token) facts.put(verdict.token, TOKEN);
      facts.put(state, STATE);
      return { wait: state.until - now, left: state.events };
    });
  }

  /** Note that the page will not send these events by being left. @param {string[]} ids */
  stay(ids) {
    return this.#change(async ({ events }) => {
      for (const id of ids) {
        const event = await done(events.index("event_id").get(id));
        if (event) events.put({ ...event, leaving: undefined });
      }
    });
  }

  close() {
    this.#database.close();
  }

  /** @template T @param {(stores: Stores) => T | Promise<T>} work @param {IDBTransactionMode} mode
   * @returns {Promise<T>} */
  async #change(work, mode = "readwrite") {
    const transaction = this.#database.transaction(STORES, mode, { durability: "strict" });
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(null);
      transaction.onabort = () => reject(transaction.error);
    });
    const [events, facts, dropped] = STORES.map((name) => transaction.objectStore(name));
    const [result] = await Promise.all([work({ events, facts, dropped }), ended]);
    return result;
  }
}

/** How long a queue has to wait before its next attempt. A clock that was set back ends the wait.
 * @param {State} state @param {number} now */
export function waitOf({ from, until }, now) {
  return now >= from && now < until ? until - now : 0;
}

/** @param {Stores} stores @param {State} state @param {Queued} event */
function remove({ events }, state, { position, bytes }) {
  events.delete(/** @type {number} */ (position));
  state.events--;
  state.bytes -= bytes;
}

/** List a dropped event, as part of the newest range if it continues that.
 * @param {Stores} stores @param {State} state @param {Drop} drop @param {number} at */
async function drop({ dropped }, state, { event: { session_id, sequence }, reason, detail }, at) {
  state.dropped++;
  const newest = (await done(dropped.openCursor(null, "prev")))?.value;
  const range = { session_id, first: sequence, last: sequence, reason, detail, at };
  const isNext = newest?.session_id === session_id && newest.last + 1 === sequence;
  if (isNext && newest.reason === reason && newest.detail === detail) {
    dropped.put({ ...newest, last: sequence, at });
    return;
  }
  dropped.add(range);
  if (await done(dropped.count()) > MOST_RANGES) (await done(dropped.openCursor()))?.delete();
}
