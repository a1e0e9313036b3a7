// Fetches the query results while the page is visible, and shows problems.

import { element } from "./plots.js";
import { age, clock, draw, failed, headline, redraw } from "./sections.js";

const EVERY = 3000;
/** Age in seconds at which the newest row counts as old. */
const BEHIND = 30;
/** How many seconds records may wait while the newest row is old before the page reports the stream as behind. */
const GRACE = 25;

const banners = document.getElementById("banners");
const results = {};
let state = { now: Date.now() / 1000, away: null, asking: true, queries: {} };
let clockOffset = 0;
let unreachable = null;
let waitingSince = null;

/** The service's clock: all times refer to it. */
const now = () => Date.now() / 1000 + clockOffset;

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch("/dashboard/data", { signal: AbortSignal.timeout(15000) });
    const body = await response.json();
    if (body.error) {
      show([body.error]);
      clearInterval(refreshing);
      clearInterval(ticking);
      return;
    }
    update(body);
    unreachable = null;
  } catch {
    unreachable ??= now();
  }
  tick();
}

function update(body) {
  clockOffset = body.now - Date.now() / 1000;
  state = body;
  for (const [name, result] of Object.entries(body.queries)) {
    // Each worker has its own cache: another worker's result may be older than the drawn one.
    if (result.rows && result.asked_at > (results[name]?.asked_at ?? 0)) {
      results[name] = result;
      draw(name, results);
    }
    failed(name, result.error);
  }
}

function tick() {
  headline(results, now());
  show(problems());
}

function problems() {
  const found = [];
  if (unreachable) found.push(`The game's service has been unavailable since ${clock(unreachable)}.`);
  const known = results.freshness;
  if (state.away) {
    const last = known ? `The data below is ${age(now() - known.asked_at)} old.` : "There is no data yet.";
    found.push(`Trino has been unavailable since ${clock(state.away.since)} (${state.away.problem}). ${last}`);
  } else if (!known && state.asking) {
    found.push("Querying Trino …");
  } else if (known) {
    found.push(...lateness(known));
  }
  for (const [name, { error }] of Object.entries(state.queries)) {
    if (error && !state.away) found.push(`Query “${name}” failed: ${error}`);
  }
  return found;
}

function lateness(known) {
  const { newest, waiting } = known.summary;
  if (newest === null) return waiting ? ["There are no rows yet: the stream is down or has just started."] : [];
  const old = now() - newest;
  if (old < BEHIND || waiting === 0) waitingSince = null;
  if (old < BEHIND) return [];
  if (waiting) {
    // After a pause in the game, the newest row is old until the first batch is loaded.
    waitingSince ??= now();
    if (now() - waitingSince < GRACE) return [];
    return [`The stream is behind: the newest row is ${age(old)} old, and ${waiting.toLocaleString("en")} records wait.`];
  }
  // Without the world, the end of the topic is unknown.
  return waiting === null ? [`The newest row is ${age(old)} old: nobody is playing, or the stream is behind.`] : [];
}

function show(lines) {
  const shown = [...banners.children].map((line) => line.textContent);
  if (shown.join("\n") !== lines.join("\n")) {
    banners.replaceChildren(...lines.map((textContent) => element("p", { textContent })));
  }
}

const refreshing = setInterval(refresh, EVERY);
const ticking = setInterval(tick, 1000);
document.addEventListener("visibilitychange", refresh);
new ResizeObserver(() => redraw(results)).observe(document.querySelector("#activity .plot"));
refresh();
