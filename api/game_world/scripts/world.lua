-- The world's state. Every script begins with this.
--   hero:NAME     attributes, `item:…`; facts: `guild`, `tie:TARGET`, and of each, with @ before it, the stamp
--   guild:NAME    gold;  members:NAME its members
--   board:…       heroes by gold, experience, power, and guilds by members
--   ties:…        pairs of players at war, at peace, allied, by time
--   pending       events, by id and time, whose effects are here and which have not been seen in the topic yet
local START = {%START%}
local PAIR = '\31'

local function number(key, attribute)
  return tonumber(redis.call('HGET', key, attribute) or START[attribute] or 0)
end

local met = {}

local function meet(player)
  local key = 'hero:' .. player
  if met[player] then
    return key
  end
  met[player] = true
  if redis.call('EXISTS', key) == 0 then
    for attribute, value in pairs(START) do
      redis.call('HSET', key, attribute, value)
      if attribute ~= 'health' then
        redis.call('ZADD', 'board:' .. attribute, value, player)
      end
    end
  end
  return key
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
  end
end

local function index(player, fact, target, before, now, stamp)
  if fact == 'guild' then
    if before ~= '' and redis.call('SREM', 'members:' .. before, player) == 1 then
      if tonumber(redis.call('ZINCRBY', 'board:guilds', -1, before)) <= 0 then
        redis.call('ZREM', 'board:guilds', before)
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
  end
end

-- Puts a fact beneath pending ones that are later: when they are taken back, it holds. Returns what was there before, and
-- since when; nothing when what holds is not pending.
local function lay_beneath(player, fact, target, value, stamp, since)
  while since > stamp do
    local at, id, kind = string.match(since, '^(%d+)/(.*)/([^/]+)$')
    local name = table.concat({player, kind, id, string.format('%.0f', tonumber(at))}, PAIR)
    local noted = redis.call('HGET', 'pending', name)
    if not noted then
      return nil
    end
    local entry = cjson.decode(noted)
    since = ''
    for _, undo in ipairs(entry.undo) do
      if undo[1] == player and undo[2] == fact and undo[3] == target then
        local before
        before, since = undo[4], undo[5]
        if since < stamp then
          undo[4], undo[5] = value, stamp
          redis.call('HSET', 'pending', name, cjson.encode(entry))
          return before, since
        end
      end
    end
  end
end

-- Returns what held before, and since when; nothing when a later fact holds.
local function settle(player, fact, target, value, stamp)
  local key = meet(player)
  local field = target == '' and fact or fact .. ':' .. target
  local since = redis.call('HGET', key, '@' .. field) or ''
  if since >= stamp then
    return lay_beneath(player, fact, target, value, stamp, since)
  end
  local before = redis.call('HGET', key, field) or ''
  redis.call('HSET', key, field, value, '@' .. field, stamp)
  index(player, fact, target, before, value, stamp)
  return before, since
end

-- Lets a pending event that came after another one bring back what held before that one.
local function follow(player, kind, target, stamp, before, since)
  local all = redis.call('HGETALL', 'pending')
  for position = 1, #all, 2 do
    local entry = cjson.decode(all[position + 1])
    for _, fact in ipairs(entry.undo) do
      if fact[1] == player and fact[2] == kind and fact[3] == target and fact[5] == stamp then
        fact[4], fact[5] = before, since
        redis.call('HSET', 'pending', all[position], cjson.encode(entry))
      end
    end
  end
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
    add(effect[1], effect[2], effect[3], -effect[4])
  end
  for _, fact in ipairs(entry.undo) do
    local player, kind, target, before, since, value, stamp =
      fact[1], fact[2], fact[3], fact[4], fact[5], fact[6], fact[7]
    local field = target == '' and kind or kind .. ':' .. target
    local key = 'hero:' .. player
    if redis.call('HGET', key, '@' .. field) == stamp then
      if since == '' then
        redis.call('HDEL', key, field, '@' .. field)
      else
        redis.call('HSET', key, field, before, '@' .. field, since)
      end
      index(player, kind, target, value, before, since)
    else
      follow(player, kind, target, stamp, before, since)
    end
  end
  if entry.once then
    redis.call('DEL', 'told:' .. entry.once)
  end
  return true
end
