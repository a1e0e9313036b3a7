-- Claims a name for a player, unless another one has.
-- ARGV: the name, the seconds for which it is kept.
-- Reply: the time of the claim in milliseconds, `taken`, or `full`.
-- Keys: claim:…, full (read).
use_reserve()
local key = 'claim:' .. ARGV[1]
if redis.call('EXISTS', key) == 1 then
  return 'taken'
end
if redis.call('EXISTS', 'full') == 1 then
  return 'full'
end
local claimed_at = string.format('%.0f', math.floor(now / 1000))
redis.call('SET', key, claimed_at, 'EX', ARGV[2])
return claimed_at
