// Reports of the deeds that a player looks at: the player decides, and by default there are none.

import { GameClient } from "./game-client.js";
import { find } from "./play-views.js";

/** @type {GameClient | null} */
let client = null;
let latest = "";

/** Report what this player looks at from now on, if they agree or have agreed before; nobody if it is "". */
export async function reportFor(player) {
  const before = client;
  client = null;
  before?.close(0).catch(console.warn);
  find("reports").hidden = true;
  // Other pages have no lock with which to send each report once.
  if (!player || !isSecureContext) return;
  const made = client = new GameClient({ player, context: { platform: "web" } });
  // Null where the browser blocks storage.
  const isGiven = await made.hasConsent().catch(() => null);
  if (client !== made) return;
  find("reports").hidden = isGiven === null;
  find("report").checked = Boolean(isGiven);
}

/** Send again what was refused for want of the player's token. */
export function playerIsKnown() {
  client?.authorize();
}

find("report").addEventListener("change", async ({ target }) => {
  await client?.consent(target.checked);
});

find("families").addEventListener("focusin", ({ target }) => {
  const deed = target.closest("form")?.dataset.deed;
  if (!deed || deed === latest) return;
  latest = deed;
  client?.record("default", { properties: { deed } }).catch(console.warn);
});
