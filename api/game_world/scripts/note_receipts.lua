-- Notes where in the topic the records of acknowledged events are. Of several records of an event, the first one counts.
-- ARGV: for each event what it is counted once by, a space, and its place.
-- Reply: as many empty strings.
-- Keys: receipt:….
local replies = {}
for position, text in ipairs(ARGV) do
  local once, place = string.match(text, '^(%S+) (%S+)$')
  redis.call('SET', 'receipt:' .. once, place, 'EX', %IDEMPOTENCY_TTL%, 'NX')
  replies[position] = ''
end
return replies
