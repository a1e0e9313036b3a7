-- Forgets visitors, those seen longest ago first, and notes whether there is memory for new names.
-- ARGV: a score of `visitors` up to which they are forgotten, such as `(1700000000000` or `+inf`; how many at most; `full`
--   if there is no memory for new names, else empty.
-- Reply: how many were forgotten.
-- Keys: visitors, full, and those of the visitors (as in forget.lua).
use_reserve()
local visitors = redis.call('ZRANGEBYSCORE', 'visitors', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, player in ipairs(visitors) do
  forget(player)
end
if ARGV[3] == 'full' then
  -- It expires in case the projection ends meanwhile.
  redis.call('SET', 'full', 1, 'EX', 60)
else
  redis.call('DEL', 'full')
end
return #visitors
