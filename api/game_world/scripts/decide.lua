-- Decides a deed: is it allowed, what comes of it? What comes of it is done at once, and noted as pending. A deed that
-- was decided before, under its key, has come to what it came to then.
-- ARGV: the deed, as game_world/deeds.py makes it. Returns JSON.
local deed = cjson.decode(ARGV[1])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- Each is a bucket that refills steadily: the moment at which it will be full again (the GCRA algorithm).
for _, limit in ipairs(deed.limits) do
  local key, interval, burst = limit[1], limit[2], limit[3]
  local full = math.max(tonumber(redis.call('GET', key) or 0), now) + interval
  if full - now > burst * interval then
    return cjson.encode({wait = full - now - burst * interval, limit = key})
  end
  redis.call('SET', key, string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
end
if not deed.name then
  return '{}'
end

if deed.once then
  local told = redis.call('GET', deed.once)
  if told then
    return told
  end
end
if not deed.free and redis.call('EXISTS', 'caught_up') == 0 then
  return '{"away":true}'
end

local keys = {player = 'hero:' .. deed.player, target = 'hero:' .. (deed.target or '')}
local own_guild = deed.free and '' or redis.call('HGET', keys.player, 'guild') or ''
local guild = deed.guild or own_guild

for position, need in ipairs(deed.needs) do
  local kind, who, attribute, least = need[1], need[2], need[3], need[4]
  local met, have = false, 0
  if kind == 'at least' then
    have = number(keys[who], attribute)
    met = have >= least
  elseif kind == 'known' then
    met = redis.call('EXISTS', keys.target) == 1
  elseif kind == 'in guild' then
    met = own_guild ~= ''
  elseif kind == 'no guild' then
    met = own_guild == ''
  elseif kind == 'same guild' then
    met = own_guild ~= '' and redis.call('HGET', keys.target, 'guild') == own_guild
  elseif kind == 'new guild' then
    met = redis.call('SCARD', 'members:' .. guild) == 0
  elseif kind == 'allied' then
    met = redis.call('HGET', keys.player, 'tie:' .. deed.target) == 'alliance'
  end
  if not met then
    return cjson.encode({need = position - 1, have = have})
  end
end

local answer = {amounts = {}}
local result = deed.results[1]
if deed.contest then
  local mine, theirs = deed.contest[1], deed.contest[2]
  if deed.contest[3] then
    local function level(key)
      return math.floor(math.sqrt(number(key, 'experience') / 100))
    end
    mine, theirs = mine + level(keys.player), theirs + level(keys.target)
  end
  answer.won = mine >= theirs
  if not answer.won then
    result = deed.results[2]
  end
end

local done = {}
local function act(owner, name, attribute, amount)
  add(owner, name, attribute, amount)
  done[#done + 1] = {owner, name, attribute, amount}
end

meet(deed.player)
local taken = 0
for position, change in ipairs(result.changes) do
  local who, attribute, kind, amount = change[1], change[2], change[3], change[4]
  local owner, name = 'hero', deed[who]
  if who == 'guild' then
    owner, name = 'guild', guild
  end
  local before = owner == 'guild' and tonumber(redis.call('HGET', 'guild:' .. name, attribute) or 0)
    or number('hero:' .. name, attribute)
  if kind == 'share' then
    amount = amount < 0 and -math.floor(before * -amount / 100) or math.floor(before * amount / 100)
  elseif kind == 'taken' then
    amount = -taken
  end
  local after = math.max(0, before + amount)
  if attribute == 'health' then
    after = math.min(after, %MOST_HEALTH%)
  end
  taken = after - before
  answer.amounts[position] = taken
  if taken ~= 0 then
    act(owner, name, attribute, taken)
  end
end
for _, effect in ipairs(result.effects) do
  act(effect[1], effect[2], effect[3], effect[4])
end

answer.drawn = result.drawn
if deed.own_guild then
  answer.guild = own_guild
end
local undo = {}
for _, fact in ipairs(deed.facts) do
  local before, since = settle(fact[1], fact[2], fact[3], fact[4], fact[5])
  if before then
    undo[#undo + 1] = {fact[1], fact[2], fact[3], before, since, fact[4], fact[5]}
  end
end
redis.call('HSET', 'pending', deed.name,
  cjson.encode({at = now / 1000, done = done, undo = undo, once = deed.once}))
local told = cjson.encode(answer)
if deed.once then
  redis.call('SET', deed.once, told, 'EX', %TOLD_SECONDS%)
end
return told
