-- Keeps the claim that a signed token states, and makes it again if the store has lost it. A later claim gives way.
-- ARGV: the name, the time of the claim in milliseconds, the seconds for which it is kept.
-- Reply: 1, or 0 if an earlier claim holds.
-- Keys: claim:….
use_reserve()
local key = 'claim:' .. ARGV[1]
local held = redis.call('GET', key)
if held and tonumber(held) < tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', key, ARGV[2], 'EX', ARGV[3])
return 1
