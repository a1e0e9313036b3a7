// Asks for the answers while somebody watches, and says what is wrong.

import { element } from "./plots.js";
import { age, clock, draw, failed, headline, redraw } from "./sections.js";

const EVERY = 3000;
/** Seconds after which a row is old, and for which records may wait for the next batch before the stream is to blame. */
const BEHIND = 30;
const GRACE = 25;

const banners = document.getElementById("banners");
const answers = {};
let state = { now: Date.now() / 1000, away: null, asking: true, queries: {} };
let ahead = 0;
let unreachable = null;
let waitingSince = null;

/** The service's clock, by which all times are. */
const now = () => Date.now() / 1000 + ahead;

async function ask() {
  if (document.hidden) return;
  try {
    const response = await fetch("/dashboard/data", { signal: AbortSignal.timeout(15000) });
    const body = await response.json();
    if (body.error) {
      say([body.error]);
      clearInterval(asking);
      clearInterval(ticking);
      return;
    }
    take(body);
    unreachable = null;
  } catch {
    unreachable ??= now();
  }
  tick();
}

function take(body) {
  ahead = body.now - Date.now() / 1000;
  state = body;
  for (const [name, answer] of Object.entries(body.queries)) {
    // Each worker has answers of its own: another one's may be older than what is drawn.
    if (answer.rows && answer.asked_at > (answers[name]?.asked_at ?? 0)) {
      answers[name] = answer;
      draw(name, answers);
    }
    failed(name, answer.error);
  }
}

function tick() {
  headline(answers, now());
  say(problems());
}

function problems() {
  const found = [];
  if (unreachable) found.push(`The game's service does not answer since ${clock(unreachable)}.`);
  const known = answers.freshness;
  if (state.away) {
    const last = known ? `Below is what it last said, ${age(now() - known.asked_at)} ago.` : "Nothing is known yet.";
    found.push(`Trino does not answer since ${clock(state.away.since)} (${state.away.problem}). ${last}`);
  } else if (!known && state.asking) {
    found.push("Trino is being asked …");
  } else if (known) {
    found.push(...lateness(known));
  }
  for (const [name, { error }] of Object.entries(state.queries)) {
    if (error && !state.away) found.push(`No answer about “${name}”: ${error}`);
  }
  return found;
}

function lateness(known) {
  const { newest, waiting } = known.summary;
  if (newest === null) return waiting ? ["No row has come yet: the stream is away, or has only begun."] : [];
  const old = now() - newest;
  if (old < BEHIND || waiting === 0) waitingSince = null;
  if (old < BEHIND) return [];
  if (waiting) {
    // After a pause in the game, too, the newest row is old until the first batch has come.
    waitingSince ??= now();
    if (now() - waitingSince < GRACE) return [];
    return [`The stream is behind: the newest row is ${age(old)} old, and ${waiting.toLocaleString("en")} records wait.`];
  }
  // Without the world nobody here knows what Kafka has.
  return waiting === null ? [`The newest row is ${age(old)} old: nobody plays, or the stream is behind.`] : [];
}

function say(lines) {
  const said = [...banners.children].map((line) => line.textContent);
  if (said.join("\n") !== lines.join("\n")) {
    banners.replaceChildren(...lines.map((textContent) => element("p", { textContent })));
  }
}

const asking = setInterval(ask, EVERY);
const ticking = setInterval(tick, 1000);
document.addEventListener("visibilitychange", ask);
new ResizeObserver(() => redraw(answers)).observe(document.querySelector("#activity .plot"));
ask();
