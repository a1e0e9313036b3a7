// The game's page: signing in and out, and polling the world every second.

import { showDeeds, tell } from "./play-deeds.js";
import { playerIsKnown, reportFor } from "./play-reports.js";
import { get, me, signOut } from "./play-requests.js";
import { find, offer, showFeed, showHero, showRealm } from "./play-views.js";

const EVERY = 1000;
const MAX_KNOWN = 200;
const PLAYER = "player";

// How the server finds out who players are, by its mode.
const PROOFS = {
  open: "There is no password: anyone who knows the name can play it.",
  claimed: "Your first deed makes it yours, in this browser only.",
  token: "It has to be the name that your token is for.",
};
const LAST_TOKEN = "This browser has the only token of your name: after signing out nobody can play it. Sign out?";

const storage = persistentStorage();
const known = new Set();
let player = storage.getItem(PLAYER) ?? "";
let mode = "";
let isKnown = true;
let after = "";
let polling = false;
let pollAgain = false;
let timer = 0;

/** The browser's storage, or a substitute for this page where the browser blocks it. */
function persistentStorage() {
  try {
    localStorage.getItem(PLAYER);
    return localStorage;
  } catch {
    const kept = new Map();
    return {
      getItem: (name) => kept.get(name),
      setItem: (name, value) => kept.set(name, value),
      removeItem: (name) => kept.delete(name),
    };
  }
}

function showWho() {
  document.querySelector("main").classList.toggle("guest", !player);
  find("gate").hidden = Boolean(player);
  for (const id of ["hero", "deeds", "leave", "herald"]) find(id).hidden = !player;
  document.title = player ? `${player} plays gamelake` : "Play gamelake";
}

function problem(name) {
  if (!name) return "A name is needed.";
  if (name.includes(",")) return "A name must not contain a comma.";
  // Browsers resolve these as folders, even when they are percent-encoded.
  if (/^\.{1,2}$/.test(name)) return "A name must not be only dots.";
  return "";
}

find("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = find("name").value.trim();
  find("name").setCustomValidity(problem(name));
  if (!find("enter").reportValidity()) return;
  enter(name);
  find("deeds").focus({ preventScroll: true });
  scrollTo(0, 0);
  poll();
});

function enter(name) {
  player = name;
  isKnown = true;
  storage.setItem(PLAYER, player);
  showWho();
  reportFor(player);
  find("answer").textContent = "";
  tell({ ok: true, text: `Welcome, ${player}!` });
}
find("name").addEventListener("input", () => find("name").setCustomValidity(""));

find("leave").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (mode === "claimed" && !confirm(LAST_TOKEN)) return;
  try {
    // Where every name is believed there is no token.
    if (mode !== "open") await signOut();
  } catch (error) {
    tell({ ok: false, text: error.message });
    return;
  }
  player = "";
  storage.removeItem(PLAYER);
  showWho();
  reportFor(player);
  find("name").select();
});

async function update() {
  const who = player;
  const [world, hero] = await Promise.all([
    get(after ? `/world?after=${after}` : "/world"),
    who ? heroOf(who) : null,
  ]);
  showRealm(world);
  // Visits, such as this page's reports, are no news.
  showFeed(world.feed.filter(({ family }) => family !== "visits"), who);
  after = world.feed.at(-1)?.id ?? after;
  if (hero && who === player) showHero(hero);
  const seen = [...world.feed, ...Object.values(world.leaders).flat()].map((one) => one.player);
  for (const name of seen) {
    known.delete(name);
    known.add(name);
  }
  for (const name of [...known].slice(0, -MAX_KNOWN)) known.delete(name);
  offer("players", [...known].filter((name) => name !== who).sort());
  offer("guilds", world.guilds.map((one) => one.guild));
}

/** The player's hero: as the server knows the player or, until the first deed makes the name theirs, as all see it. */
async function heroOf(who) {
  const known = isKnown ? await me(who) : null;
  isKnown = Boolean(known);
  return known?.hero ?? get(`/heroes/${encodeURIComponent(who)}`);
}

/** Learn how the server knows players; enter at once if this browser has a player's token. */
async function begin() {
  const { families, players } = await get("/actions");
  mode = players;
  find("name-proof").textContent = PROOFS[mode] ?? "";
  const known = mode !== "open" && !player ? await me("") : null;
  showDeeds(families, () => player, afterDeed);
  if (known?.proven && !player) enter(known.hero?.player ?? known.player);
}

function afterDeed() {
  isKnown = true;
  playerIsKnown();
  poll();
}

async function poll() {
  clearTimeout(timer);
  pollAgain = polling;
  if (polling || document.hidden) return;
  polling = true;
  try {
    if (!find("families").hasChildNodes()) await begin();
    await update();
    notice("");
  } catch (error) {
    notice(`${error.message} Trying again…`);
  }
  polling = false;
  clearTimeout(timer);
  timer = setTimeout(poll, pollAgain ? 0 : EVERY);
}

function notice(text) {
  if (find("notice").textContent !== text) find("notice").textContent = text;
}

document.addEventListener("visibilitychange", poll);
showWho();
reportFor(player);
poll();
