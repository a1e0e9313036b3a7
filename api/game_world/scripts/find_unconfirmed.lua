-- ARGV: what events are counted once by. Returns of each 1 if a record under it may be in the topic, else 0.
local found = {}
for position, once in ipairs(ARGV) do
  found[position] = (redis.call('EXISTS', 'unsure:' .. once) == 1 or redis.call('EXISTS', once) == 1) and 1 or 0
end
return found
