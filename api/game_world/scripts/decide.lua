-- Decides deeds: is each allowed, what comes of it? What comes of it is done at once, and noted as pending. A deed that
-- was decided before, under its key, has come to what it came to then.
-- ARGV: the deeds, as game_world/deeds.py makes them. Returns JSON for each; nothing where there is nothing to tell.

-- Each is a bucket that refills steadily: the moment at which it will be full again (the GCRA algorithm). What costs more
-- than a bucket holds takes a full one, and owes the rest. Nothing is taken unless all have enough. game_world/limits.py
-- does the same without the store.
local function exceeded(limits)
  local fulls = {}
  for position, limit in ipairs(limits) do
    local key, interval, burst, cost = limit[1], limit[2], limit[3], limit[4]
    local full = math.max(tonumber(redis.call('GET', key) or 0), now)
    local wait = full - now - (burst - math.min(cost, burst)) * interval
    if wait > 0 then
      return {wait = wait, limit = key}
    end
    fulls[position] = full + cost * interval
  end
  for position, limit in ipairs(limits) do
    local full = fulls[position]
    redis.call('SET', limit[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
  end
end

local function unmet(deed, own_guild, guild)
  local keys = {player = 'hero:' .. deed.player, target = 'hero:' .. (deed.target or '')}
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
      return {need = position - 1, have = have}
    end
  end
end

local function is_won(deed)
  local mine, theirs = deed.contest[1], deed.contest[2]
  if deed.contest[3] then
    local function level(name)
      return math.floor(math.sqrt(number('hero:' .. name, 'experience') / 100))
    end
    mine, theirs = mine + level(deed.player), theirs + level(deed.target)
  end
  return mine >= theirs
end

-- Returns by how much each attribute changed.
local function change(deed, changes, guild, act)
  local amounts, taken = {}, 0
  for position, wanted in ipairs(changes) do
    local who, attribute, kind, amount = wanted[1], wanted[2], wanted[3], wanted[4]
    local owner, name = 'hero', deed[who]
    if who == 'guild' then
      owner, name = 'guild', guild
    end
    local before = owner == 'guild' and tonumber(redis.call('HGET', 'guild:' .. name, attribute) or 0)
      or number('hero:' .. name, attribute)
    if kind == 'share' then
      local share = math.max(0, before)
      amount = amount < 0 and -math.floor(share * -amount / 100) or math.floor(share * amount / 100)
    elseif kind == 'taken' then
      amount = -taken
    end
    -- What was taken back may have been spent: that is still owed.
    local after = math.max(math.min(0, before), before + amount)
    if attribute == 'health' then
      after = math.min(after, %MOST_HEALTH%)
    end
    taken = after - before
    amounts[position] = taken
    if taken ~= 0 then
      act(owner, name, attribute, taken)
    end
  end
  return amounts
end

-- Returns the answer; false, and what is in the way, if it is not allowed.
local function decide(deed, act)
  local own_guild = redis.call('HGET', 'hero:' .. deed.player, 'guild') or ''
  local guild = deed.guild or own_guild
  local problem = unmet(deed, own_guild, guild)
  if problem then
    return false, problem
  end
  if not knows(deed.player) and redis.call('EXISTS', 'full') == 1 then
    return false, {full = true}
  end
  local answer = {guild = deed.own_guild and own_guild or nil}
  answer.guild_name = answer.guild and redis.call('HGET', 'guild:' .. own_guild, 'name') or nil
  local result = deed.results[1]
  if deed.contest then
    answer.won = is_won(deed)
    result = answer.won and result or deed.results[2]
  end
  meet(deed.player)
  answer.amounts = change(deed, result.changes, guild, act)
  for _, effect in ipairs(result.effects) do
    act(effect[1], effect[2], effect[3], effect[4])
  end
  redis.call('ZREM', 'visitors', deed.player)
  answer.drawn = result.drawn
  return answer
end

-- What was told under this key, or that it was told too long ago; nothing for a new key.
local function told_before(deed)
  local told = redis.call('GET', 'told:' .. deed.once)
  if not told then
    -- What depends on nothing may be written again: it does not count.
    local is_counted = was_used(deed.once, deed.at)
      or (type(deed.seen) == 'table' and redis.call('SISMEMBER', 'seen:' .. deed.seen[1], deed.seen[2]) == 1)
    return is_counted and (deed.effects and '' or '{"key":"counted"}')
  end
  local answer = cjson.decode(told)
  if answer.asked ~= deed.asked then
    return '{"key":"other"}'
  end
  -- It is not to be taken back while this request writes it. Both have the same name but for the time.
  local name = string.gsub(deed.name, '%d+$', string.format('%.0f', answer.drawn.received_at))
  local noted = redis.call('HGET', 'pending', name)
  if noted then
    local note = cjson.decode(noted)
    note.at, note.shared = now / 1000, true
    redis.call('HSET', 'pending', name, cjson.encode(note))
  end
  answer.again = true
  return cjson.encode(answer)
end

local function carry_out(deed)
  local problem = exceeded(deed.limits)
  if problem or not deed.name then
    return problem and cjson.encode(problem) or ''
  end
  local told = deed.once and told_before(deed)
  if told then
    return told
  end
  local note = {at = now / 1000, done = {}, undo = {}, once = deed.once}
  local answer
  if deed.effects then
    -- It depends on nothing, but on a world that is there: else the projection brings it in.
    if redis.call('EXISTS', 'topic') == 0 then
      return '{"away":true}'
    end
    if not knows(deed.player) and redis.call('EXISTS', 'full') == 1 then
      return '{"away":true}'
    end
    welcome(deed.player)
    call_by(deed.names)
    for _, effect in ipairs(deed.effects) do
      add(effect[1], effect[2], effect[3], effect[4])
    end
    note.done = deed.effects
    answer = deed.drawn and {drawn = deed.drawn}
  else
    if redis.call('EXISTS', 'caught_up') == 0 then
      return '{"away":true}'
    end
    answer, problem = decide(deed, function(owner, name, attribute, amount)
      add(owner, name, attribute, amount)
      note.done[#note.done + 1] = {owner, name, attribute, amount}
    end)
    if problem then
      return cjson.encode(problem)
    end
    call_by(deed.names)
  end
  for _, fact in ipairs(deed.facts) do
    local before, since = settle(fact[1], fact[2], fact[3], fact[4], fact[5])
    if before then
      note.undo[#note.undo + 1] = {fact[1], fact[2], fact[3], before, since, fact[4], fact[5]}
    end
  end
  redis.call('HSET', 'pending', deed.name, cjson.encode(note))
  if not deed.once then
    return answer and cjson.encode(answer) or ''
  end
  answer.asked = deed.asked
  told = cjson.encode(answer)
  redis.call('SET', 'told:' .. deed.once, told, 'EX', %TOLD_SECONDS%)
  return told
end

local answers = {}
for position, deed in ipairs(ARGV) do
  answers[position] = carry_out(cjson.decode(deed))
end
return answers
