-- Applies records of the topic to the world, each once; confirms those that are pending, as they are applied already.
-- ARGV: partition; first offset; offset after the last; a JSON list of records; `full` if new names are left out whose event
--   has no precondition, else empty. A record (game_world/records.py) is {name, player, is_free, once, is_marked, at, seen,
--   names, effects, facts}. Without `effects` it is pending; without `once` it always counts; `seen` is {set, member}.
-- Reply: the offset at which to read on. It differs from the third argument if another projection was here, and if a record
--   without effects is no longer pending; -1 if the store has lost the world.
-- Keys: positions, pending, once:…, seen:…, response:…, and those of heroes and guilds.
use_reserve()
local partition, first, next_ = ARGV[1], ARGV[2], ARGV[3]
local position = redis.call('HGET', 'positions', partition)
if position ~= first then
  return position or '-1'
end
local records, is_full = cjson.decode(ARGV[4]), ARGV[5] == 'full'

-- Whether it counted already, by the rule of the views (game_events/table.py).
local function is_repeat(record)
  if not record.once then
    return false
  end
  local seen = record.seen and 'seen:' .. record.seen.set
  if not record.is_marked then
    local is_new = redis.call('SADD', seen, record.seen.member) == 1
    redis.call('EXPIRE', seen, %SEEN_SECONDS%)
    return is_new and redis.call('EXISTS', record.once) == 1
  end
  local is_recent = was_used(record.once, record.at)
  redis.call('SET', record.once, string.format('%.0f', record.at), 'EX', %ONCE_KEPT_SECONDS%)
  return is_recent or (seen and redis.call('SISMEMBER', seen, record.seen.member) == 1)
end

local notes = {}
for position, record in ipairs(records) do
  notes[position] = redis.call('HGET', 'pending', record.name)
  if not record.effects and not notes[position] then
    return first
  end
end
for position, record in ipairs(records) do
  if is_repeat(record) then
    -- If it was decided separately from the event that counted, as after the store was unavailable, it must not count.
    revert(record.name)
  elseif not confirm(record.name, notes[position]) and not (is_full and record.is_free and not knows(record.player)) then
    seen_at = math.min(record.at, now / 1000)
    if record.is_free then
      welcome(record.player)
    else
      meet(record.player)
      redis.call('ZREM', 'visitors', record.player)
    end
    set_names(record.names)
    apply(record.effects)
    for _, fact in ipairs(record.facts) do
      settle(fact, true)
    end
  end
end
redis.call('HSET', 'positions', partition, next_)
return next_
