// The deeds: a form for each, made from what the server says of it.

import { act, newKey } from "./play-requests.js";
import { capital, find, icon, make } from "./play-views.js";

const LISTS = { target: "players", guild: "guilds", item: "items" };

// What a newcomer sees open: the king gives swords to everyone.
const BEGIN = "purchases";

// So long a button rests after a click: the second click of a double one comes within it.
const REST = 600;

/** Show every family. `player()` is who plays; `done()` is called after each answer. */
export function showDeeds(families, player, done) {
  find("families").replaceChildren(...families.map(({ family, actions }) =>
    make("details", { name: "family", ...(family === BEGIN && { open: "" }) },
      make("summary", {}, icon(family), capital(family)),
      make("div", { class: "cards" }, ...actions.map((action) => deed(action, player, done))))));
}

function deed(action, player, done) {
  const button = make("button", {}, action.title);
  const form = make("form", { "aria-label": action.title },
    make("h3", {}, action.title),
    ...action.needs.length ? [make("p", {}, `Needs ${action.needs.join(", ")}`)] : [],
    ...action.brings.map((brought) => make("p", {}, capital(brought))),
    ...chance(action.chance),
    ...action.parameters.flatMap((parameter) => field(action, parameter)),
    button);
  let open = null;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    const rest = new Promise((resolve) => setTimeout(resolve, REST));
    const given = [...new FormData(form)].filter(([, value]) => value !== "");
    // What has no outcome yet is asked again under its key, and then happens once.
    const what = JSON.stringify([player(), given]);
    const key = open?.what === what ? open.key : newKey();
    const answer = await act(player(), action.path, given, key);
    open = answer.again ? { what, key } : null;
    tell(answer);
    done();
    await rest;
    const lost = document.activeElement === document.body;
    button.disabled = false;
    if (lost) button.focus({ preventScroll: true });
  });
  return form;
}

export function tell({ good, text }) {
  const answer = find("answer");
  answer.className = good ? "good" : "bad";
  // Emptied first, so that the same answer is read out again.
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
    // Whom one deals with in one deed is likely whom the next one is about.
    if (type !== "string") return;
    for (const other of document.querySelectorAll(`#families input[name="${name}"]`)) other.value = input.value;
  });
  return [make("label", { for: id }, required ? title : `${title} (may be left out)`), input];
}
