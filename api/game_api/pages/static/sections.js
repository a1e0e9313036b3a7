// Draws the results of each query.

import { element, histogram, legend, rankedBars, stackedColumns, table } from "./plots.js";

const MINUTES = 60;
const MIN_MINUTES = 15;
const COLOURS = ["c0", "c1", "c2", "c3", "c4", "c5"];
/** Families in the order of their colours. A family gets one when it first is among the most frequent, and keeps it. */
const coloured = [];

const $ = (selector) => document.querySelector(selector);
const seconds = (text) => Date.parse(text) / 1000;
const words = (name) => name.replaceAll("_", " ");
const number = (value) => value.toLocaleString("en");

export const clock = (at) => new Date(at * 1000).toLocaleTimeString("en-GB");

export function age(span) {
  if (span < 100) return `${Math.max(0, Math.round(span))} s`;
  if (span < 6000) return `${Math.round(span / 60)} min`;
  return span < 172800 ? `${Math.round(span / 3600)} h` : `${Math.round(span / 86400)} days`;
}

function when(text) {
  const at = new Date(text);
  const day = at.toDateString() === new Date().toDateString() ? "" : `${at.toLocaleDateString("en-CA")} `;
  return day + clock(at / 1000);
}

export function draw(name, results) {
  const sections = { activity, purchases, players, wars, rejected, freshness };
  sections[name]?.(results);
  for (const note of notes(name)) {
    note.dataset.asked = results[name].asked_at;
    note.dataset.took = results[name].seconds;
  }
}

export function redraw(results) {
  if (results.activity) activity(results);
}

const SECTIONS = { players: ["richest", "strongest"] };
const notes = (name) => (SECTIONS[name] ?? [name]).map((id) => $(`#${id} .note`));

export function failed(name, error) {
  for (const note of notes(name)) {
    note.classList.toggle("failed", Boolean(error));
    note.dataset.error = error ?? "";
  }
}

export function headline(results, now) {
  for (const note of document.querySelectorAll(".note[data-asked]")) {
    const error = note.dataset.error ? ` Refresh failed: ${note.dataset.error}` : "";
    const took = Number(note.dataset.took).toFixed(2);
    note.textContent = `Queried ${age(now - note.dataset.asked)} ago in ${took} s.${error}`;
  }
  const summary = results.freshness?.summary;
  if (summary) {
    $("#age").textContent = summary.newest === null ? "none" : `${age(now - summary.newest)} old`;
    $("#age-note").textContent = summary.newest === null ? "no row yet" : `from ${clock(summary.newest)}`;
    $("#waiting").textContent = summary.waiting === null ? "unknown" : number(summary.waiting);
    $("#waiting-note").textContent =
      summary.waiting === null ? "the world is unavailable" : summary.waiting ? "records, until the next batch" : "all are in the table";
  }
  if (results.activity) {
    const bad = total(results.activity.rows.filter((row) => row.family === "rejected"));
    $("#lately").textContent = number(total(results.activity.rows) - bad);
    $("#lately-note").textContent = "retries not counted";
    $("#bad").textContent = number(bad);
    $("#bad-note").textContent = bad ? "listed below" : "none";
  }
}

const total = (rows) => rows.reduce((sum, row) => sum + row.number, 0);

function freshness({ freshness }) {
  const rows = freshness.rows;
  const newest = rows.map((row) => seconds(row.newest_event)).filter(Number.isFinite);
  const known = rows.filter((row) => row.next_offset !== null);
  freshness.summary = {
    newest: newest.length ? Math.max(...newest) : null,
    waiting: known.length ? known.reduce((sum, row) => sum + behind(row), 0) : null,
  };
  const columns = [
    ["Partition", (row) => row.kafka_partition, "number"],
    ["Newest offset in the table", (row) => row.newest_offset, "number"],
    ["Next offset in Kafka", (row) => row.next_offset ?? "unknown", "number"],
    ["Newest record in the table", (row) => row.newest_record && when(row.newest_record), "when"],
  ];
  $("#freshness .table").replaceChildren(table(columns, rows));
}

const behind = (row) => Math.max(0, row.next_offset - 1 - (row.newest_offset ?? -1));

function activity({ activity: { rows, asked_at } }) {
  const totals = new Map();
  for (const row of rows) totals.set(row.family, (totals.get(row.family) ?? 0) + row.number);
  const families = [...totals.keys()].sort((a, b) => totals.get(b) - totals.get(a));
  for (const family of families) {
    if (family !== "rejected" && !coloured.includes(family) && coloured.length < COLOURS.length) coloured.push(family);
  }
  const others = families.filter((family) => family !== "rejected" && !coloured.includes(family));
  const groups = coloured.map((family, index) => ({ name: family, colour: COLOURS[index], of: [family] }));
  groups.push({ name: `others (${others.join(", ")})`, colour: "rest", of: others });
  groups.push({ name: "rejected", colour: "bad", of: ["rejected"] });
  const sum = (row, families) => families.reduce((so, family) => so + (row?.[family] ?? 0), 0);
  for (const group of groups) group.total = sum(Object.fromEntries(totals), group.of);

  const minutes = new Map();
  for (const { minute, family, number } of rows) {
    const at = seconds(minute);
    minutes.set(at, { ...minutes.get(at), [family]: number });
  }
  const last = Math.floor(asked_at / 60) * 60;
  // Do not draw an empty hour for a game that has just started.
  const shown = Math.min(MINUTES, Math.max(MIN_MINUTES, 1 + (last - Math.min(last, ...minutes.keys())) / 60));
  const labelled = shown > 30 ? 600 : 300;
  const columns = Array.from({ length: shown }, (_, index) => {
    const at = last - 60 * (shown - 1 - index);
    const row = minutes.get(at);
    const named = families.filter((family) => row?.[family]).map((family) => `${family} ${row[family]}`);
    return {
      label: at % labelled ? "" : clock(at).slice(0, 5),
      title: `${clock(at).slice(0, 5)}: ${named.join(", ") || "nothing"}`,
      parts: groups.map((group) => ({ colour: group.colour, value: sum(row, group.of) })),
    };
  });
  const place = $("#activity .plot");
  const title = `Events in each of the last ${shown} minutes, ${number(total(rows))} in all; see the table below`;
  place.replaceChildren(stackedColumns(place.clientWidth || 600, title, columns));
  $("#activity .legend").replaceChildren(...legend(groups.filter((group) => group.total)));
  const at = [...minutes.keys()].sort((a, b) => b - a);
  const heads = families.map((family) => [family, (minute) => minutes.get(minute)[family] ?? 0, "number"]);
  $("#activity .table").replaceChildren(table([["Minute", (minute) => clock(minute).slice(0, 5)], ...heads], at));
}

function purchases({ purchases: { rows } }) {
  const items = new Map();
  for (const { event_type, strength, number } of rows) {
    if (!items.has(event_type)) items.set(event_type, Array(11).fill(0));
    items.get(event_type)[strength] = number;
  }
  const all = [...items].map(([type, counts]) => {
    const times = counts.reduce((sum, count) => sum + count, 0);
    const mean = counts.reduce((sum, count, strength) => sum + count * strength, 0) / times;
    return { item: words(type.replace("purchase_", "")), counts, times, mean: mean.toFixed(1) };
  });
  all.sort((a, b) => b.times - a.times);
  const plots = all.map(({ item, counts, times, mean }) => {
    const summary = `${number(times)}, mean ${mean}`;
    const plot = histogram(`Strength of each ${item} bought: ${summary}`, counts);
    return element("div", {}, element("h3", { textContent: item }), element("p", { textContent: summary }), plot);
  });
  $("#purchases .plot").replaceChildren(...(all.length ? plots : ["No purchases yet."]));
  const strengths = Array.from({ length: 11 }, (_, strength) => [strength, (row) => row.counts[strength], "number"]);
  const columns = [["Item", (row) => row.item], ["Bought", (row) => row.times, "number"], ...strengths];
  $("#purchases .table").replaceChildren(table(columns, all));
}

function players({ players: { rows } }) {
  const ranked = (rank) => rows.filter((row) => row[rank] <= 10).sort((a, b) => a[rank] - b[rank]);
  const list = (id, rank, colour, value, note) => {
    const bars = ranked(rank).map((row) => ({ name: row.player, value: row[value], note: note(row) }));
    $(`#${id} .plot`).replaceChildren(bars.length ? rankedBars(bars, colour) : "Nobody yet.");
  };
  list("richest", "by_gold", "c1", "gold", () => " gold");
  list("strongest", "by_power", "c2", "power", (row) => ` power, ${number(row.experience)} exp.`);
}

function wars({ wars: { rows } }) {
  const columns = [
    ["Player", (row) => row.player],
    ["Target", (row) => row.target],
    ["Declared by", (row) => words(row.event_type)],
    ["Since", (row) => when(row.since), "when"],
  ];
  const more = rows.length && rows[0].in_all > rows.length ? `The newest ${rows.length} of ${number(rows[0].in_all)}.` : "";
  $("#wars .table").replaceChildren(rows.length ? table(columns, rows) : "Nobody is at war.", more);
}

function rejected({ rejected: { rows } }) {
  const columns = [
    ["When", (row) => when(row.timestamp), "when"],
    ["Reason", (row) => row.error],
    ["Content", (row) => row.text, "text"],
    ["Partition:offset", (row) => (row.kafka_partition < 0 ? "imported" : `${row.kafka_partition}:${row.kafka_offset}`), "when"],
  ];
  $("#rejected .table").replaceChildren(rows.length ? table(columns, rows) : "No rejected records yet.");
}
