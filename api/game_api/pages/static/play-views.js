// What the page shows. Text written by players is inserted only as text, never as HTML.

const SHOWN = 100;
const SVG = "http://www.w3.org/2000/svg";

export const find = (id) => document.getElementById(id);

/** Create an element; strings among the children become text nodes. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `/static/play-icons.svg#${name}`);
  svg.append(use);
  return svg;
}

// Redraw only what has changed, so that the rest keeps its focus, selection and scroll position.
const shown = new Map();
function show(id, value, children) {
  const key = JSON.stringify(value);
  if (shown.get(id) === key) return;
  shown.set(id, key);
  find(id).replaceChildren(...children());
}

export function showHero(hero) {
  find("hero-name").textContent = hero.player;
  const guild = hero.guild ? `of ${hero.guild}` : "of no guild";
  find("hero-rank").textContent = hero.known ? `Level ${hero.level}, ${guild}` : "Nobody has heard of you yet";
  find("health").value = hero.health;
  find("health").classList.toggle("low", hero.health <= 30);
  find("health-number").textContent = hero.health > 0 ? `${hero.health} of 100` : "0: dead. Pray!";
  find("purse").textContent = `${hero.health} health, ${hero.stamina} stamina, ${hero.gold.toLocaleString("en")} gold`;
  const numbers = ["gold", "stamina", "level", "experience", "power"].map((name) => [name, hero[name]]);
  show("hero-numbers", numbers, () => numbers.map(([name, value]) =>
    make("div", {}, make("dt", {}, capital(name)), make("dd", {}, value.toLocaleString("en")))));
  const items = Object.entries(hero.items);
  show("hero-items", items, () => chips(items.map(([item, count]) => `${item} × ${count}`)));
  show("hero-ties", hero.ties, () => chips(Object.entries(hero.ties).map(([target, tie]) => `${tie}: ${target}`)));
  offer("items", items.map(([item]) => item));
}

function chips(texts) {
  return (texts.length ? texts : ["none"]).map((text) => make("li", {}, text));
}

/** Add entries to the chronicle, the newest on top. */
export function showFeed(entries, player) {
  const feed = find("feed");
  for (const entry of entries) {
    const at = new Date(entry.received_at);
    const text = entry.text.slice(entry.player.length);
    const time = make("time", { datetime: at.toISOString() }, at.toLocaleTimeString());
    const line = make("li", { "data-player": entry.player }, make("b", {}, entry.player), `${text} `, time);
    feed.prepend(line);
  }
  while (feed.children.length > SHOWN) feed.lastElementChild.remove();
  for (const line of feed.children) line.classList.toggle("mine", line.dataset.player === player);
}

export function showRealm({ leaders, guilds, wars }) {
  show("boards", [leaders, guilds, wars], () => [
    ...Object.entries(leaders).map(([name, rows]) =>
      table(`Most ${name}`, ["Player", capital(name)], rows.map((row) => [row.player, row[name]]))),
    table("Guilds", ["Guild", "Members", "Gold"], guilds.map((row) => [row.guild, row.members, row.gold])),
    table("Wars", ["Declared by", "On"], wars.map((row) => [row.player, row.target])),
  ]);
}

function table(title, heads, rows) {
  const cell = (tag, value, like) => {
    const number = typeof like === "number";
    const text = typeof value === "number" ? value.toLocaleString("en") : value;
    return make(tag, { ...(number && { class: "number" }), ...(tag === "th" && { scope: "col" }) }, text);
  };
  const body = rows.map((row) => make("tr", {}, ...row.map((value) => cell("td", value, value))));
  const head = make("tr", {}, ...heads.map((value, at) => cell("th", value, rows[0]?.[at])));
  const none = rows.length ? [] : [make("p", { class: "hint" }, "none yet")];
  const caption = make("caption", {}, title);
  return make("div", {}, make("table", {}, caption, make("thead", {}, head), make("tbody", {}, ...body)), ...none);
}

/** Set the suggestions of a datalist. */
export function offer(list, values) {
  show(list, values, () => values.map((value) => make("option", { value })));
}

export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
