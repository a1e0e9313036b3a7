-- Brings records of the topic into the world, each once: pending ones are there already.
-- ARGV: partition, first offset, offset after the last, and the records as JSON: [name, once, effects, facts, player];
-- without effects and facts, which are false, for what is pending.
-- Returns the offset at which the partition is to be read on: another than asked for when another one was here, the first
-- one when something is no longer pending; -1 for a store that has lost everything.
local partition, first, next_ = ARGV[1], ARGV[2], ARGV[3]
local position = redis.call('HGET', 'positions', partition)
if position ~= first then
  return position or '-1'
end
local records = cjson.decode(ARGV[4])
for _, record in ipairs(records) do
  if not record[3] and redis.call('HEXISTS', 'pending', record[1]) == 0 then
    return first
  end
end
for _, record in ipairs(records) do
  local name, once = record[1], record[2]
  if once ~= '' and not redis.call('SET', once, 1, 'NX', 'EX', %ONCE_SECONDS%) then
    -- It was counted. If this one was decided apart from that one, as when the store had been away, it was not to be.
    take_back(name)
  elseif redis.call('HDEL', 'pending', name) == 0 then
    meet(record[5])
    for _, effect in ipairs(record[3] or {}) do
      add(effect[1], effect[2], effect[3], effect[4])
    end
    for _, fact in ipairs(record[4] or {}) do
      settle(fact[1], fact[2], fact[3], fact[4], fact[5])
    end
  end
end
redis.call('HSET', 'positions', partition, next_)
return next_
