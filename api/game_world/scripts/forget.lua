-- Removes a player, and everything that others' ties and the event feed say about them.
-- ARGV: the player.
-- Reply: how many players were forgotten so far, or 0 if the world is being rebuilt: what is read later would name them again.
-- Keys: those of the player, ties:…, tied:…, hero:… and candidates:… of players tied to them, guild:… and members:… of
--   their guild, board:…, visitors, claim:…, feed, forgettings, caught_up (read).
use_reserve()
if redis.call('EXISTS', 'caught_up') == 0 then
  return 0
end
local player = ARGV[1]
for _, kind in ipairs({'war', 'peace', 'alliance'}) do
  for _, pair in ipairs(redis.call('ZRANGE', 'ties:' .. kind, 0, -1)) do
    local cut = string.find(pair, PAIR, 1, true)
    local one, other = string.sub(pair, 1, cut - 1), string.sub(pair, cut + 1)
    if other == player then
      untie(one, other)
    end
  end
end
forget(player)
redis.call('DEL', 'claim:' .. player)
redis.call('DEL', 'feed')
return redis.call('INCR', 'forgettings')
