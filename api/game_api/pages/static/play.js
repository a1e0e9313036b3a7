// The game's page: who plays, and a look at the world each second.

import { showDeeds, tell } from "./play-deeds.js";
import { look } from "./play-requests.js";
import { find, offer, showFeed, showHero, showRealm } from "./play-views.js";

const EVERY = 1000;
const MOST_KNOWN = 200;
const PLAYER = "player";

const memory = remembered();
const known = new Set();
let player = memory.getItem(PLAYER) ?? "";
let after = "";
let looking = false;
let askedMeanwhile = false;
let timer = 0;

/** What the browser keeps; this page alone, where it keeps nothing. */
function remembered() {
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
  if (name.includes(",")) return "A name has no comma.";
  // A browser takes these for folders, wherever they are in an address.
  if (/^\.{1,2}$/.test(name)) return "A name is more than dots.";
  return "";
}

find("enter").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = find("name").value.trim();
  find("name").setCustomValidity(problem(name));
  if (!find("enter").reportValidity()) return;
  player = name;
  memory.setItem(PLAYER, player);
  showWho();
  find("answer").textContent = "";
  tell({ good: true, text: `Welcome, ${player}!` });
  find("deeds").focus({ preventScroll: true });
  scrollTo(0, 0);
  lookAgain();
});
find("name").addEventListener("input", () => find("name").setCustomValidity(""));

find("leave").addEventListener("submit", (event) => {
  event.preventDefault();
  player = "";
  memory.removeItem(PLAYER);
  showWho();
  find("name").select();
});

async function lookAround() {
  const who = player;
  const [world, hero] = await Promise.all([
    look(after ? `/world?after=${after}` : "/world"),
    who ? look(`/heroes/${encodeURIComponent(who)}`) : null,
  ]);
  showRealm(world);
  showFeed(world.feed, who);
  after = world.feed.at(-1)?.id ?? after;
  if (hero && who === player) showHero(hero);
  const seen = [...world.feed, ...Object.values(world.leaders).flat()].map((one) => one.player);
  for (const name of seen) {
    known.delete(name);
    known.add(name);
  }
  for (const name of [...known].slice(0, -MOST_KNOWN)) known.delete(name);
  offer("players", [...known].filter((name) => name !== who).sort());
  offer("guilds", world.guilds.map((one) => one.guild));
}

async function lookAgain() {
  clearTimeout(timer);
  askedMeanwhile = looking;
  if (looking || document.hidden) return;
  looking = true;
  try {
    if (!find("families").hasChildNodes()) {
      showDeeds((await look("/actions")).families, () => player, lookAgain);
    }
    await lookAround();
    notice("");
  } catch (error) {
    notice(`${error.message} Trying again…`);
  }
  looking = false;
  clearTimeout(timer);
  timer = setTimeout(lookAgain, askedMeanwhile ? 0 : EVERY);
}

function notice(text) {
  if (find("notice").textContent !== text) find("notice").textContent = text;
}

document.addEventListener("visibilitychange", lookAgain);
showWho();
lookAgain();
