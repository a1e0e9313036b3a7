-- Brings records of the topic into the world, each once: pending ones are there already.
-- ARGV: partition, first offset, offset after the last, the records as JSON, as game_world/records.py makes them, without
-- effects and facts, which are false, for what is pending; and `full` if new names that did only what depends on nothing
-- are left out.
-- Returns the offset at which the partition is to be read on: another than asked for when another one was here, the first
-- one when something is no longer pending; -1 for a store that has lost everything.
use_reserve()
local partition, first, next_ = ARGV[1], ARGV[2], ARGV[3]
local position = redis.call('HGET', 'positions', partition)
if position ~= first then
  return position or '-1'
end
local records, is_full = cjson.decode(ARGV[4]), ARGV[5] == 'full'

-- Whether it counted already, by the rule of the views (game_events/table.py).
local function is_repeat(once, is_marked, at, place)
  if once == '' then
    return false
  end
  local seen = place and 'seen:' .. place[1]
  if not is_marked then
    local is_new = redis.call('SADD', seen, place[2]) == 1
    redis.call('EXPIRE', seen, %SEEN_SECONDS%)
    return is_new and redis.call('EXISTS', once) == 1
  end
  local is_recent = was_used(once, at)
  redis.call('SET', once, string.format('%.0f', at), 'EX', %ONCE_KEPT_SECONDS%)
  return is_recent or (seen and redis.call('SISMEMBER', seen, place[2]) == 1)
end

for _, record in ipairs(records) do
  if not record[2] and redis.call('HEXISTS', 'pending', record[1]) == 0 then
    return first
  end
end
for _, record in ipairs(records) do
  local name = record[1]
  if is_repeat(record[6], record[7], record[8], record[9]) then
    -- It was counted. If this one was decided apart from that one, as when the store had been away, it was not to be.
    take_back(name)
  elseif redis.call('HDEL', 'pending', name) == 0 and not (is_full and record[5] and not knows(record[4])) then
    seen_at = math.min(tonumber(string.match(name, '%d+$')), now / 1000)
    if record[5] then
      welcome(record[4])
    else
      meet(record[4])
      redis.call('ZREM', 'visitors', record[4])
    end
    call_by(record[10])
    for _, effect in ipairs(record[2] or {}) do
      add(effect[1], effect[2], effect[3], effect[4])
    end
    for _, fact in ipairs(record[3] or {}) do
      settle(fact[1], fact[2], fact[3], fact[4], fact[5])
    end
  end
end
redis.call('HSET', 'positions', partition, next_)
return next_
