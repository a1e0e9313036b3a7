-- Forgets visitors, those of longest ago first. ARGV: those who were there before that many milliseconds, `+inf` for all;
-- how many at most; `full` if there is no room for new names. Returns how many were forgotten.
use_reserve()
local visitors = redis.call('ZRANGEBYSCORE', 'visitors', '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, player in ipairs(visitors) do
  forget(player)
end
if ARGV[3] == 'full' then
  -- It ends by itself should nobody be there to end it.
  redis.call('SET', 'full', 1, 'EX', 60)
else
  redis.call('DEL', 'full')
end
return #visitors
