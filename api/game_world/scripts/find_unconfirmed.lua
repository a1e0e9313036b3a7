-- Finds events of which a record may be in the topic.
-- ARGV: what each event is counted once by.
-- Reply: for each 1 if a record may be in the topic, else 0.
-- Keys: unconfirmed:…, once:… (both read).
local found = {}
for position, once in ipairs(ARGV) do
  found[position] = (redis.call('EXISTS', 'unconfirmed:' .. once) == 1 or redis.call('EXISTS', once) == 1) and 1 or 0
end
return found
