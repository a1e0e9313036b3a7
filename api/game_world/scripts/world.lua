-- The world's state. Every script begins with this. Every key has the world's prefix, which stands here alone:
--   topic         the id of the topic that the world is made of; without it nothing is decided
--   hero:NAME     `name` as given, where it differs; attributes, `item:…`; facts: `guild`, `tie:TARGET`, and of each, with @
--                 before it, the stamp
--   guild:NAME    `name`, gold;  members:NAME its members
--   board:…       heroes by gold, experience, power, and guilds by members
--   ties:…        pairs of players at war, at peace, allied, by time
--   once:…        received_at of the last record under a key;  told:… what its request was told;  unsure:… that a record
--                 under it may be in the topic;  seen:… unmarked events whose retry is not to count
--   tied:NAME     the targets of a hero's ties, by time
--   visitors      heroes who only did what depends on nothing, by the last time: they are forgotten after a while
--   pending       events, by id and time, whose effects are here and which have not been seen in the topic yet
--   full          while there is no room for new names
local server = redis
local redis = {
  call = function(command, key, ...)
    return server.call(command, '%PREFIX%' .. key, ...)
  end,
}

local time = server.call('TIME')
-- Microseconds; the projection sets milliseconds of what it brings in.
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local seen_at = math.floor(now / 1000)

-- After a write that takes no memory the server lets a script finish, however full it is: for what frees memory, and for
-- what must go on.
local function use_reserve()
  redis.call('DEL', 'nothing')
end

local START = {%START%}
local PAIR = '\31'

local function number(key, attribute)
  return tonumber(redis.call('HGET', key, attribute) or START[attribute] or 0)
end

local known = {}

local function knows(player)
  known[player] = known[player] or redis.call('EXISTS', 'hero:' .. player) == 1
  return known[player]
end

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

-- Meets a player who did what depends on nothing.
local function welcome(player)
  if knows(player) then
    redis.call('ZADD', 'visitors', 'XX', 'GT', seen_at, player)
  else
    meet(player)
  end
end

local function add(owner, name, attribute, amount)
  if owner == 'guild' then
    redis.call('HINCRBY', 'guild:' .. name, attribute, amount)
    return
  end
  local key = meet(name)
  local now = redis.call('HINCRBY', key, attribute, amount)
  if attribute == 'gold' or attribute == 'experience' or attribute == 'power' then
    redis.call('ZADD', 'board:' .. attribute, now, name)
  elseif now == 0 and attribute ~= 'health' then
    redis.call('HDEL', key, attribute)
  elseif now == amount and redis.call('HLEN', key) > %MOST_FIELDS% then
    redis.call('HDEL', key, attribute)
  end
end

local function index(player, fact, target, before, now, stamp)
  if fact == 'guild' then
    if before ~= '' and redis.call('SREM', 'members:' .. before, player) == 1 then
      if tonumber(redis.call('ZINCRBY', 'board:guilds', -1, before)) <= 0 then
        redis.call('ZREM', 'board:guilds', before)
        redis.call('HDEL', 'guild:' .. before, 'name')
      end
    end
    if now ~= '' and redis.call('SADD', 'members:' .. now, player) == 1 then
      redis.call('ZINCRBY', 'board:guilds', 1, now)
    end
  else
    local pair = player .. PAIR .. target
    if before ~= '' then
      redis.call('ZREM', 'ties:' .. before, pair)
    end
    if now ~= '' then
      redis.call('ZADD', 'ties:' .. now, string.sub(stamp, 1, 13), pair)
    end
    if stamp == '' then
      redis.call('ZREM', 'tied:' .. player, target)
    else
      redis.call('ZADD', 'tied:' .. player, string.sub(stamp, 1, 13), target)
    end
  end
end

local function untie(player, target)
  local field = 'tie:' .. target
  index(player, 'tie', target, redis.call('HGET', 'hero:' .. player, field) or '', '', '')
  redis.call('HDEL', 'hero:' .. player, field, '@' .. field)
end

-- The latest ties stay, in whatever order they come. Returns whether that to the target did.
local function keep_latest_ties(player, target)
  local stays = true
  local excess = redis.call('ZCARD', 'tied:' .. player) - %MOST_TIES%
  if excess > 0 then
    for _, oldest in ipairs(redis.call('ZRANGE', 'tied:' .. player, 0, excess - 1)) do
      untie(player, oldest)
      stays = stays and oldest ~= target
    end
  end
  return stays
end

-- Removes a player, but not what others' ties say of them.
local function forget(player)
  for _, target in ipairs(redis.call('ZRANGE', 'tied:' .. player, 0, -1)) do
    untie(player, target)
  end
  index(player, 'guild', '', redis.call('HGET', 'hero:' .. player, 'guild') or '', '', '')
  for _, board in ipairs({'gold', 'experience', 'power'}) do
    redis.call('ZREM', 'board:' .. board, player)
  end
  redis.call('DEL', 'hero:' .. player)
  redis.call('DEL', 'tied:' .. player)
  redis.call('ZREM', 'visitors', player)
  known[player] = nil
end

-- Goes down the pending events that hold one instead of the other, from the one whose stamp is `since`, to the one that
-- would bring back a fact no later than `stamp`. Returns its name, its note, and where this tells of that fact; nothing
-- when what holds is not pending.
local function find_above(player, fact, target, stamp, since)
  while since > stamp do
    local at, id, kind = string.match(since, '^(%d+)/(.*)/([^/]+)$')
    local name = table.concat({player, kind, id, string.format('%.0f', tonumber(at))}, PAIR)
    local noted = redis.call('HGET', 'pending', name)
    if not noted then
      return nil
    end
    local note = cjson.decode(noted)
    since = ''
    for _, undo in ipairs(note.undo) do
      if undo[1] == player and undo[2] == fact and undo[3] == target then
        since = undo[5]
        if since <= stamp then
          return name, note, undo
        end
      end
    end
  end
end

-- Changes what a pending event would bring back.
local function bring_back(name, note, undo, value, stamp)
  undo[4], undo[5] = value, stamp
  redis.call('HSET', 'pending', name, cjson.encode(note))
end

-- Returns what held before, and since when; nothing when a later fact holds.
local function settle(player, fact, target, value, stamp)
  local key = meet(player)
  local field = target == '' and fact or fact .. ':' .. target
  local since = redis.call('HGET', key, '@' .. field) or ''
  if since >= stamp then
    local name, note, undo = find_above(player, fact, target, stamp, since)
    if not undo or undo[5] == stamp then
      return nil
    end
    -- Beneath what is pending: it holds when that is taken back.
    local before, earlier = undo[4], undo[5]
    bring_back(name, note, undo, value, stamp)
    return before, earlier
  end
  local before = redis.call('HGET', key, field) or ''
  redis.call('HSET', key, field, value, '@' .. field, stamp)
  index(player, fact, target, before, value, stamp)
  if fact == 'tie' and not keep_latest_ties(player, target) then
    return nil
  end
  return before, since
end

-- Notes how names were given: keys of heroes and guilds, and names. The heroes are there.
local function call_by(names)
  for key, name in pairs(names or {}) do
    redis.call('HSET', key, 'name', name)
  end
end

-- Whether the last record under a key was received so shortly before or after `at` that the two count once.
local function was_used(once, at)
  local last = redis.call('GET', once)
  return last and math.abs(at - tonumber(last)) <= %ONCE_SECONDS% * 1000
end

-- Undoes what a pending event did; false when it is not pending.
local function take_back(name)
  local noted = redis.call('HGET', 'pending', name)
  if not noted then
    return false
  end
  redis.call('HDEL', 'pending', name)
  local entry = cjson.decode(noted)
  for _, effect in ipairs(entry.done) do
    -- A visitor may have been forgotten meanwhile.
    if effect[1] == 'guild' or knows(effect[2]) then
      add(effect[1], effect[2], effect[3], -effect[4])
    end
  end
  for _, fact in ipairs(entry.undo) do
    local player, kind, target, before, since, value, stamp =
      fact[1], fact[2], fact[3], fact[4], fact[5], fact[6], fact[7]
    local field = target == '' and kind or kind .. ':' .. target
    local key = 'hero:' .. player
    local current = redis.call('HGET', key, '@' .. field) or ''
    if current == stamp then
      if since == '' then
        redis.call('HDEL', key, field, '@' .. field)
      else
        redis.call('HSET', key, field, before, '@' .. field, since)
      end
      index(player, kind, target, value, before, since)
    else
      local above, note, undo = find_above(player, kind, target, stamp, current)
      if undo and undo[5] == stamp then
        bring_back(above, note, undo, before, since)
      end
    end
  end
  if entry.once then
    redis.call('DEL', 'told:' .. entry.once)
  end
  return true
end
