// The deeds: a form for each action that the server lists.

import { act, newKey } from "./play-requests.js";
import { capital, find, icon, make } from "./play-views.js";

const LISTS = { target: "players", guild: "guilds", item: "items" };

// Open at first, because a new player can get a sword for free.
const OPEN_FAMILY = "purchases";

// How many milliseconds a button is disabled after a click, so that a double click acts once.
const COOLDOWN = 600;

/** Show every family. `player()` returns the current player; `done()` is called after each response. */
export function showDeeds(families, player, done) {
  find("families").replaceChildren(...families.map(({ family, actions }) =>
    make("details", { name: "family", ...(family === OPEN_FAMILY && { open: "" }) },
      make("summary", {}, icon(family), capital(family)),
      make("div", { class: "cards" }, ...actions.map((action) => deed(action, player, done))))));
}

function deed(action, player, done) {
  const button = make("button", {}, action.title);
  const form = make("form", { "aria-label": action.title, "data-deed": action.name },
    make("h3", {}, action.title),
    ...action.needs.length ? [make("p", {}, `Needs ${action.needs.join(", ")}`)] : [],
    ...action.brings.map((brought) => make("p", {}, capital(brought))),
    ...chance(action.chance),
    ...action.parameters.flatMap((parameter) => field(action, parameter)),
    button);
  let pending = null;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    const cooldown = new Promise((resolve) => setTimeout(resolve, COOLDOWN));
    const given = parameters(action, new FormData(form));
    // A request without an outcome is retried with the same key, so it takes effect once.
    const request = JSON.stringify([player(), given]);
    const key = pending?.request === request ? pending.key : newKey();
    const answer = await act(player(), action.name, given, key);
    pending = answer.retry ? { request, key } : null;
    tell(answer);
    done();
    await cooldown;
    const lost = document.activeElement === document.body;
    button.disabled = false;
    if (lost) button.focus({ preventScroll: true });
  });
  return form;
}

/** What the form gives, as JSON has it. */
function parameters(action, data) {
  return Object.fromEntries(action.parameters
    .map(({ name, type }) => [name, type, data.get(name)])
    .filter(([, , value]) => value !== "")
    .map(([name, type, value]) => [name, type === "integer" ? Number(value) : value]));
}

export function tell({ ok, text }) {
  const answer = find("answer");
  answer.className = ok ? "ok" : "bad";
  // Emptied first, so that screen readers announce a repeated answer.
  answer.textContent = "";
  requestAnimationFrame(() => { answer.textContent = text; });
}

function chance(texts) {
  if (!texts.length) return [];
  return [make("details", {}, make("summary", {}, "Chance"), make("ul", {}, ...texts.map((text) => make("li", {}, capital(text)))))];
}

function field(action, { name, type, title, required, minimum, maximum }) {
  const id = `${action.name}-${name}`;
  const bounds = type === "integer"
    ? { type: "number", inputmode: "numeric", min: minimum, max: maximum, step: 1 }
    : { type: "text", maxlength: maximum, autocomplete: "off", autocapitalize: "none", spellcheck: "false" };
  const list = LISTS[name] ? { list: LISTS[name] } : {};
  const input = make("input", { id, name, ...bounds, ...list, ...(required && { required: "" }) });
  input.addEventListener("change", () => {
    // The next deed is likely to concern the same player, guild or item.
    if (type !== "string") return;
    for (const other of document.querySelectorAll(`#families input[name="${name}"]`)) other.value = input.value;
  });
  return [make("label", { for: id }, required ? title : `${title} (optional)`), input];
}
