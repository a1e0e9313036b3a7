-- Takes back the effects of events that are surely not in the topic. ARGV: their ids. Returns how many there were.
local reverted = 0
for _, id in ipairs(ARGV) do
  local noted = redis.call('HGET', 'pending', id)
  if noted then
    redis.call('HDEL', 'pending', id)
    reverted = reverted + 1
    local entry = cjson.decode(noted)
    for _, effect in ipairs(entry.done) do
      add(effect[1], effect[2], effect[3], -effect[4])
    end
    for _, fact in ipairs(entry.undo) do
      local player, name, target, before, since, value, stamp =
        fact[1], fact[2], fact[3], fact[4], fact[5], fact[6], fact[7]
      local field = target == '' and name or name .. ':' .. target
      local key = 'hero:' .. player
      if redis.call('HGET', key, field .. '@') == stamp then
        redis.call('HSET', key, field, before, field .. '@', since)
        index(player, name, target, value, before, since)
      end
    end
    if entry.once then
      redis.call('DEL', entry.once)
    end
  end
end
return reverted
