-- Brings records of the topic into the world, each once: pending ones are there already.
-- ARGV: partition, first offset, offset after the last, the records as JSON: [name, once, effects, facts, player, whether
-- it depends on nothing], without effects and facts, which are false, for what is pending; and `full` if new names that did
-- only what depends on nothing are left out.
-- Returns the offset at which the partition is to be read on: another than asked for when another one was here, the first
-- one when something is no longer pending; -1 for a store that has lost everything.
use_reserve()
local partition, first, next_ = ARGV[1], ARGV[2], ARGV[3]
local position = redis.call('HGET', 'positions', partition)
if position ~= first then
  return position or '-1'
end
local records, is_full = cjson.decode(ARGV[4]), ARGV[5] == 'full'
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
  elseif redis.call('HDEL', 'pending', name) == 0 and not (is_full and record[6] and not knows(record[5])) then
    seen_at = math.min(tonumber(string.match(name, '%d+$')), now / 1000)
    if record[6] then
      welcome(record[5])
    else
      meet(record[5])
      redis.call('ZREM', 'visitors', record[5])
    end
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
