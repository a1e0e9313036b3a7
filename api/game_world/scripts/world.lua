-- The world's state, and the functions that all scripts share: the text of each script follows this one.
-- Scripts exchange JSON objects with Python; the header of each script names their fields.
--
-- Objects that several scripts use:
--   effect     {owner: 'hero' or 'guild', name, attribute, amount}
--   fact       {player, name: 'guild' or 'tie', target: '' for a guild, value, stamp}; of one fact the greatest stamp holds
--   candidate  {stamp, value, confirmed}: a value that a fact has, or gets back after a revert
--   note       {at, effects, facts, once, shared, player, stamina}: what a pending event did, and when in milliseconds;
--              `once` if a response is cached, `shared` if several requests wrote the event; whose stamina it took, if any
--
-- Keys, all under the world's prefix:
--   topic              the id of the topic that the world is made from; without it nothing is decided
--   caught_up          exists once the topic has been read to its end
--   positions          the next offset of each partition
--   hero:NAME          `name` as given, if it differs; attributes, `item:…`; the facts `guild` and `tie:TARGET` with their
--                      stamps `@guild` and `@tie:TARGET`
--   candidates:NAME    the candidates of a hero's facts, while one of them is pending
--   guild:NAME         `name` as given, if it differs; gold
--   members:NAME       a guild's members
--   board:…            heroes by gold, experience, power, and guilds by members
--   ties:…             pairs of players at war, at peace, allied, by time
--   tied:NAME          the targets of a hero's ties, by time
--   visitors           heroes whose actions all had no precondition, by the last time: they are forgotten after a while
--   pending            the notes of events whose effects are applied and that the projection has not read yet, by name
--   once:…             received_at of the last record under an Idempotency-Key
--   seen:…             events without a key whose retry must not count
--   response:…         the cached response to a request
--   receipt:…          where an acknowledged event is in the topic, as PARTITION:OFFSET
--   unconfirmed:…      exists if an unconfirmed record may be in the topic
--   stamina:NAME       when a player will be rested, in microseconds; missing if they are
--   stamina_interval   microseconds until one stamina is back, 0 if actions take none; missing for the rules' own
--   claim:NAME         when a player has claimed the name, in milliseconds: the earliest claim holds
--   limit:…            when a token bucket will be full again, in microseconds
--   feed               the newest events
--   full               exists while there is no memory for new names
local server = redis
local redis = {
  call = function(command, key, ...)
    return server.call(command, '%PREFIX%' .. key, ...)
  end,
}

local START = {%START%}
local PAIR = '\31'

local time = server.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
-- Milliseconds; the projection sets it to the time of each record.
local seen_at = math.floor(now / 1000)

-- After a write that takes no memory the server lets a script finish even if memory is full. For scripts that free memory,
-- and for those that must not stop.
local function use_reserve()
  redis.call('DEL', 'nothing')
end

local function number(key, attribute)
  return tonumber(redis.call('HGET', key, attribute) or START[attribute] or 0)
end

-- As `level` in game_events/rules.py.
local function level(experience)
  return 1 + math.floor(math.sqrt(math.max(0, experience) / %LEVEL_EXPERIENCE%))
end

-- Stamina: a token bucket as in decide.lua, but it is never overdrawn.

local function stamina_interval()
  return tonumber(redis.call('GET', 'stamina_interval') or %STAMINA_INTERVAL%)
end

local function rested_at(player)
  return math.max(tonumber(redis.call('GET', 'stamina:' .. player) or 0), now)
end

local function stamina_of(player)
  local interval = stamina_interval()
  return interval == 0 and %MOST_STAMINA% or math.floor(%MOST_STAMINA% - (rested_at(player) - now) / interval)
end

-- Takes stamina from a player, or gives it back if the amount is negative.
local function tire(player, amount)
  local interval = amount == 0 and 0 or stamina_interval()
  if interval == 0 then
    return
  end
  local rested = rested_at(player) + amount * interval
  if rested > now then
    redis.call('SET', 'stamina:' .. player, string.format('%.0f', rested), 'PX', math.ceil((rested - now) / 1000) + 1)
  else
    redis.call('DEL', 'stamina:' .. player)
  end
end

local known = {}

local function knows(player)
  known[player] = known[player] or redis.call('EXISTS', 'hero:' .. player) == 1
  return known[player]
end

-- Creates the player if nobody knows them. Returns their key.
local function meet(player)
  local key = 'hero:' .. player
  if not knows(player) then
    known[player] = true
    redis.call('ZADD', 'visitors', seen_at, player)
    local fields = {}
    for attribute, value in pairs(START) do
      fields[#fields + 1] = attribute
      fields[#fields + 1] = value
      if attribute ~= 'health' then
        redis.call('ZADD', 'board:' .. attribute, value, player)
      end
    end
    redis.call('HSET', key, unpack(fields))
  end
  return key
end

-- Creates or keeps a visitor: the player of an event that had no precondition.
local function welcome(player)
  if knows(player) then
    redis.call('ZADD', 'visitors', 'XX', 'GT', seen_at, player)
  else
    meet(player)
  end
end

-- Sets names as given: a table of names by the keys of existing heroes and guilds.
local function set_names(names)
  for key, name in pairs(names or {}) do
    redis.call('HSET', key, 'name', name)
  end
end

local function add(owner, name, attribute, amount)
  if owner == 'guild' then
    redis.call('HINCRBY', 'guild:' .. name, attribute, amount)
    return
  end
  local key = meet(name)
  local total = redis.call('HINCRBY', key, attribute, amount)
  if attribute == 'gold' or attribute == 'experience' or attribute == 'power' then
    redis.call('ZADD', 'board:' .. attribute, total, name)
  elseif total == 0 and attribute ~= 'health' then
    redis.call('HDEL', key, attribute)
  elseif total == amount and redis.call('HLEN', key) > %MOST_FIELDS% then
    redis.call('HDEL', key, attribute)
  end
end

local function apply(effects)
  for _, effect in ipairs(effects) do
    add(effect.owner, effect.name, effect.attribute, effect.amount)
  end
end

-- Facts

local NOTHING = {value = '', stamp = ''}

local function field_of(fact)
  return fact.target == '' and fact.name or fact.name .. ':' .. fact.target
end

-- Keeps members and boards up to date with guilds, and lists of pairs with ties.
local function index(fact, before, current)
  local player, target = fact.player, fact.target
  if fact.name == 'tie' then
    local pair, since = player .. PAIR .. target, string.sub(current.stamp, 1, 13)
    if before.value ~= '' then
      redis.call('ZREM', 'ties:' .. before.value, pair)
    end
    if current.value ~= '' then
      redis.call('ZADD', 'ties:' .. current.value, since, pair)
    end
    if current.stamp == '' then
      redis.call('ZREM', 'tied:' .. player, target)
    else
      redis.call('ZADD', 'tied:' .. player, since, target)
    end
  elseif before.value ~= current.value then
    if before.value ~= '' and redis.call('SREM', 'members:' .. before.value, player) == 1 then
      if tonumber(redis.call('ZINCRBY', 'board:guilds', -1, before.value)) <= 0 then
        redis.call('ZREM', 'board:guilds', before.value)
        redis.call('HDEL', 'guild:' .. before.value, 'name')
      end
    end
    if current.value ~= '' and redis.call('SADD', 'members:' .. current.value, player) == 1 then
      redis.call('ZINCRBY', 'board:guilds', 1, current.value)
    end
  end
end

-- A fact has candidates while one of its events is pending: those pending, and what is confirmed before them. The members
-- of `candidates:NAME` sort by field and stamp: field, stamp, `c` if confirmed or `p` if pending, and value.

local function member(field, stamp, state, value)
  return table.concat({field, stamp, state .. value}, PAIR)
end

-- Returns the first or the last candidate of a field, if it has any.
local function candidate(player, field, command)
  local least, most = '(' .. field .. PAIR, '(' .. field .. PAIR .. '\255'
  if command == 'ZREVRANGEBYLEX' then
    least, most = most, least
  end
  local found = redis.call(command, 'candidates:' .. player, least, most, 'LIMIT', 0, 1)[1]
  if found then
    local stamp, state, value = string.match(string.sub(found, #field + 2), '^(.*)' .. PAIR .. '([cp])(.*)$')
    return {stamp = stamp, value = value, confirmed = state == 'c'}
  end
end

local function first_candidate(player, field)
  return candidate(player, field, 'ZRANGEBYLEX')
end

local function last_candidate(player, field)
  return candidate(player, field, 'ZREVRANGEBYLEX')
end

local function drop_candidates(player, field, most)
  redis.call('ZREMRANGEBYLEX', 'candidates:' .. player, '(' .. field .. PAIR, '(' .. field .. PAIR .. most .. '\255')
end

local function held(player, field)
  local found = redis.call('HMGET', 'hero:' .. player, field, '@' .. field)
  return found[2] and {value = found[1], stamp = found[2], confirmed = true} or NOTHING
end

-- Lets a candidate hold, or nothing.
local function hold(fact, before, current)
  local field, key = field_of(fact), 'hero:' .. fact.player
  if current == NOTHING then
    redis.call('HDEL', key, field, '@' .. field)
  else
    redis.call('HSET', key, field, current.value, '@' .. field, current.stamp)
  end
  index(fact, before, current)
end

-- Removes a tie and its candidates.
local function untie(player, target)
  local fact = {player = player, name = 'tie', target = target}
  drop_candidates(player, field_of(fact), '')
  hold(fact, held(player, field_of(fact)), NOTHING)
end

local function keep_latest_ties(player)
  local excess = redis.call('ZCARD', 'tied:' .. player) - %MOST_TIES%
  if excess > 0 then
    for _, target in ipairs(redis.call('ZRANGE', 'tied:' .. player, 0, excess - 1)) do
      untie(player, target)
    end
  end
end

-- Adds a fact. One that is confirmed ends all candidates before it: they can never hold again.
local function settle(fact, confirmed)
  meet(fact.player)
  local field, key = field_of(fact), 'candidates:' .. fact.player
  local first, before = first_candidate(fact.player, field), held(fact.player, field)
  local floor = first or before
  if floor.confirmed and floor.stamp >= fact.stamp then
    return
  end
  if confirmed and first then
    drop_candidates(fact.player, field, fact.stamp .. PAIR)
  end
  if confirmed then
    if before.stamp > fact.stamp then
      redis.call('ZADD', key, 0, member(field, fact.stamp, 'c', fact.value))
    end
  elseif first or before == NOTHING then
    redis.call('ZADD', key, 0, member(field, fact.stamp, 'p', fact.value))
  else
    redis.call('ZADD', key, 0, member(field, before.stamp, 'c', before.value), 0, member(field, fact.stamp, 'p', fact.value))
  end
  if fact.stamp > before.stamp then
    hold(fact, before, fact)
    if fact.name == 'tie' then
      keep_latest_ties(fact.player)
    end
  end
end

-- Removes the pending candidate of a fact.
local function withdraw(fact)
  local field, key = field_of(fact), 'candidates:' .. fact.player
  if redis.call('ZREM', key, member(field, fact.stamp, 'p', fact.value)) == 0 then
    return
  end
  local before, last = held(fact.player, field), last_candidate(fact.player, field) or NOTHING
  if before.stamp == fact.stamp then
    hold(fact, before, last)
  end
  if last.confirmed then
    drop_candidates(fact.player, field, '')
  end
end

-- Pending events

local function note_of(name)
  local noted = redis.call('HGET', 'pending', name)
  return noted and cjson.decode(noted)
end

local function set_note(name, note)
  redis.call('HSET', 'pending', name, cjson.encode(note))
end

-- Confirms a pending event, as it is in the topic; `noted` is its note as stored. Returns false if it is not pending.
local function confirm(name, noted)
  if not noted or redis.call('HDEL', 'pending', name) == 0 then
    return false
  end
  -- Most events tell no facts: their notes need no decoding.
  if string.find(noted, '"facts":[{', 1, true) then
    for _, fact in ipairs(cjson.decode(noted).facts) do
      local field = field_of(fact)
      if redis.call('HGET', 'hero:' .. fact.player, '@' .. field) == fact.stamp then
        drop_candidates(fact.player, field, '')
      elseif first_candidate(fact.player, field) then
        settle(fact, true)
      end
      -- A fact without candidates was forgotten, or a later one is confirmed.
    end
  end
  return true
end

-- Reverts what a pending event did, if it is pending.
local function revert(name)
  local note = note_of(name)
  if not note then
    return
  end
  redis.call('HDEL', 'pending', name)
  for _, effect in ipairs(note.effects) do
    -- A visitor may have been forgotten meanwhile.
    if effect.owner == 'guild' or knows(effect.name) then
      add(effect.owner, effect.name, effect.attribute, -effect.amount)
    end
  end
  for _, fact in ipairs(note.facts) do
    withdraw(fact)
  end
  tire(note.player, -(note.stamina or 0))
  if note.once then
    redis.call('DEL', 'response:' .. note.once)
  end
end

-- Whether the last record under a key was received so shortly before or after `at` that the two count once.
local function was_used(once, at)
  local last = redis.call('GET', once)
  return last and math.abs(at - tonumber(last)) <= %ONCE_SECONDS% * 1000
end

-- Removes a player, but not what others' ties say about them.
local function forget(player)
  for _, target in ipairs(redis.call('ZRANGE', 'tied:' .. player, 0, -1)) do
    untie(player, target)
  end
  index({player = player, name = 'guild', target = ''}, held(player, 'guild'), NOTHING)
  for _, board in ipairs({'gold', 'experience', 'power'}) do
    redis.call('ZREM', 'board:' .. board, player)
  end
  redis.call('DEL', 'hero:' .. player)
  redis.call('DEL', 'candidates:' .. player)
  redis.call('DEL', 'tied:' .. player)
  redis.call('DEL', 'stamina:' .. player)
  redis.call('ZREM', 'visitors', player)
  known[player] = nil
end
