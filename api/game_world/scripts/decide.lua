-- Decides commands: checks rate limits, the Idempotency-Key and the preconditions, applies the result, and notes it as
-- pending. A command that was decided before, under its key, gets the cached response.
-- ARGV: a JSON object for each command (game_world/commands.py):
--   limits         [{name, interval, burst, cost}], token buckets; a command without `name` is only about them
--   tells          true for a reply that says how full the buckets are, see below
--   name           among the pending events;  player, and where the event has them target, guild;  facts
--   names          names as given, by the keys of heroes and guilds
--   once, at, seen, fingerprint   only with an Idempotency-Key: what the event is counted once by, its received_at, where a
--                  record without a key is noted as seen {set, member} or null, and a digest of its parameters
--   effects, drawn only if the event is unconditional: what it does, and what its (cached) response says. It has preconditions
--                  nevertheless if the request is stricter than the event type
--   preconditions  [{kind, who, attribute, least, met}], of kind `at least` without `met`; all others have `met` if they
--                  do not depend on the world, and else only `kind`
--   stamina        how much the action takes, if any
--   own_guild      true if the event tells the player's guild
--   contest        {mine, theirs, against_player, is_battle, arms, guards}: two throws, and what items add to them
--   results        [{changes: [{who, attribute, kind, amount}], effects, drawn}], of the contest the first if it is won
-- Reply: for each command a JSON object, or an empty string for an empty one:
--   {wait, limit}                 a bucket is empty for so many microseconds
--   {key}                         the key was used: for another request (`other`), or too long ago (`counted`)
--   {unavailable} or {full}       the world is being rebuilt, or takes no new names
--   {precondition, have}          the position of the first one that is not met, and how much of it there is
--   {amounts, won, guild, guild_name, drawn, fingerprint, again}   the decision; `again` if it is an earlier one's.
--                                 If the event states facts, its received_at is `drawn.received_at`.
--   With `tells`: {fulls, reply}, the reply above (an empty object for an empty string), and in how many microseconds each
--   bucket is full again. Those behind an empty bucket are missing.
-- Keys: limit:…, once:… and seen:… (read), response:…, topic, caught_up and full (read), pending, visitors, stamina:…, and those
--   of heroes and guilds.

-- Each bucket refills steadily: its key holds when it will be full again (the GCRA algorithm). A cost above the burst takes
-- a full bucket and owes the rest. Nothing is taken unless all have enough. game_world/limits.py does the same without the
-- store.
local function exceeded(limits, told)
  local fulls = {}
  for position, limit in ipairs(limits) do
    local full = math.max(tonumber(redis.call('GET', limit.name) or 0), now)
    told[position] = full - now
    local wait = full - now - (limit.burst - math.min(limit.cost, limit.burst)) * limit.interval
    if wait > 0 then
      return {wait = wait, limit = limit.name}
    end
    fulls[position] = full + limit.cost * limit.interval
  end
  for position, limit in ipairs(limits) do
    local full = fulls[position]
    told[position] = full - now
    redis.call('SET', limit.name, string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
  end
end

local function attribute_of(command, who, attribute, guild)
  if who == 'guild' then
    return tonumber(redis.call('HGET', 'guild:' .. guild, attribute) or 0)
  elseif attribute == 'stamina' then
    return stamina_of(command.player)
  end
  return number('hero:' .. command[who], attribute)
end

local function is_tied(player, target)
  return redis.call('HGET', 'hero:' .. player, 'tie:' .. target) == 'alliance'
end

local function unmet(command, own_guild, guild)
  local player, target = command.player, command.target or ''
  for position, precondition in ipairs(command.preconditions) do
    local kind = precondition.kind
    local met, have = false, 0
    if precondition.met ~= nil then
      met = precondition.met
    elseif kind == 'at least' then
      have = attribute_of(command, precondition.who, precondition.attribute, guild)
      met = have >= precondition.least
    elseif kind == 'known' then
      met = redis.call('EXISTS', 'hero:' .. target) == 1
    elseif kind == 'in guild' then
      met = own_guild ~= ''
    elseif kind == 'no guild' then
      met = own_guild == ''
    elseif kind == 'same guild' then
      met = own_guild ~= '' and redis.call('HGET', 'hero:' .. target, 'guild') == own_guild
    elseif kind == 'new guild' then
      met = redis.call('SCARD', 'members:' .. guild) == 0
    elseif kind == 'founded' then
      met = redis.call('SCARD', 'members:' .. guild) > 0
    elseif kind == 'offered' then
      met = is_tied(target, player) and not is_tied(player, target)
    elseif kind == 'allied' then
      met = is_tied(player, target) and is_tied(target, player)
    end
    if not met then
      return {precondition = position - 1, have = have}
    end
  end
end

-- Returns what a side adds to its throw. The might that power gives is as `might` in game_events/rules.py.
local function bonus(player, with_level, is_battle, gear)
  local key, total = 'hero:' .. player, 0
  if with_level then
    total = level(number(key, 'experience'))
  end
  if is_battle then
    total = total + level(number(key, 'power')) - 1
  end
  for item, worth in pairs(gear) do
    if number(key, 'item:' .. item) > 0 then
      total = total + worth
    end
  end
  return total
end

local function is_won(command)
  local contest = command.contest
  local mine = contest.mine + bonus(command.player, contest.against_player, contest.is_battle, contest.arms)
  local theirs = contest.theirs
  if contest.against_player then
    theirs = theirs + bonus(command.target, true, contest.is_battle, contest.guards)
  end
  return mine >= theirs
end

-- Returns by how much each attribute changes, and adds the effects.
local function change(command, changes, guild, effects)
  local amounts, taken = {}, 0
  for position, wanted in ipairs(changes) do
    local owner, name, attribute, amount = 'hero', command[wanted.who], wanted.attribute, wanted.amount
    if wanted.who == 'guild' then
      owner, name = 'guild', guild
    end
    local before = attribute_of(command, wanted.who, attribute, guild)
    if wanted.kind == 'share' then
      local share = math.max(0, before)
      amount = amount < 0 and -math.floor(share * -amount / 100) or math.floor(share * amount / 100)
    elseif wanted.kind == 'taken' then
      amount = -taken
    end
    -- Below zero, a player owes what was reverted after they had spent it: that stays owed.
    local after = math.max(math.min(0, before), before + amount)
    if attribute == 'health' then
      after = math.min(after, %MOST_HEALTH%)
    end
    taken = after - before
    amounts[position] = taken
    if taken ~= 0 then
      add(owner, name, attribute, taken)
      effects[#effects + 1] = {owner = owner, name = name, attribute = attribute, amount = taken}
    end
  end
  return amounts
end

-- Applies the command's result and collects its effects. Returns the decision; false and the reason if it is refused.
local function decide(command, effects)
  local own_guild = redis.call('HGET', 'hero:' .. command.player, 'guild') or ''
  local guild = command.guild or own_guild
  local problem = unmet(command, own_guild, guild)
  if problem then
    return false, problem
  end
  if not knows(command.player) and redis.call('EXISTS', 'full') == 1 then
    return false, {full = true}
  end
  local decision = {guild = command.own_guild and own_guild or nil}
  decision.guild_name = decision.guild and redis.call('HGET', 'guild:' .. own_guild, 'name') or nil
  local result = command.results[1]
  if command.contest then
    decision.won = is_won(command)
    result = decision.won and result or command.results[2]
  end
  meet(command.player)
  decision.amounts = change(command, result.changes, guild, effects)
  for _, effect in ipairs(result.effects) do
    effects[#effects + 1] = effect
  end
  apply(result.effects)
  redis.call('ZREM', 'visitors', command.player)
  tire(command.player, command.stamina or 0)
  decision.drawn = result.drawn
  return decision
end

-- Returns the cached response under this key, or that the key was used too long ago; nothing for a new key.
local function cached(command)
  local response = redis.call('GET', 'response:' .. command.once)
  if not response then
    -- An event without preconditions may be written again: the repeat does not count.
    local is_counted = was_used(command.once, command.at)
      or (type(command.seen) == 'table' and redis.call('SISMEMBER', 'seen:' .. command.seen.set, command.seen.member) == 1)
    return is_counted and (command.effects and '' or '{"key":"counted"}')
  end
  local decision = cjson.decode(response)
  if decision.fingerprint ~= command.fingerprint then
    return '{"key":"other"}'
  end
  -- The earlier event must not be reverted while this request writes it. Their names differ only in the time.
  local name = string.gsub(command.name, '%d+$', string.format('%.0f', decision.drawn.received_at))
  local note = note_of(name)
  if note then
    note.at, note.shared = now / 1000, true
    set_note(name, note)
  end
  decision.again = true
  return cjson.encode(decision)
end

-- Stamps the command's facts with the store's time, whatever the clock that the request was received by, so that each of
-- them is the latest one. Returns the time in milliseconds.
local function stamp(command)
  local time = math.floor(now / 1000)
  local at = time
  for _, fact in ipairs(command.facts) do
    local latest = tonumber(string.sub(held(fact.player, field_of(fact)).stamp, 1, 13)) or 0
    -- Another writer's stamp may lie anywhere.
    if latest < time + %MOST_LEAD% then
      at = math.max(at, latest + 1)
    end
  end
  for _, fact in ipairs(command.facts) do
    fact.stamp = string.format('%013.0f', at) .. string.sub(fact.stamp, 14)
  end
  command.name = string.gsub(command.name, '%d+$', string.format('%.0f', at))
  return at
end

local function execute(command, told)
  local problem = exceeded(command.limits, told)
  if problem or not command.name then
    return problem and cjson.encode(problem) or ''
  end
  local response = command.once and cached(command)
  if response then
    return response
  end
  local at = #command.facts > 0 and stamp(command)
  local note = {at = now / 1000, effects = command.effects or {}, facts = command.facts, once = command.once}
  local decision
  if command.effects then
    if redis.call('EXISTS', command.preconditions and 'caught_up' or 'topic') == 0 then
      return '{"unavailable":true}'
    end
    problem = command.preconditions and unmet(command, '', command.guild)
    if problem then
      return cjson.encode(problem)
    end
    -- Without preconditions nothing can forbid it: if it cannot be applied now, the projection will do so.
    if not knows(command.player) and redis.call('EXISTS', 'full') == 1 then
      return command.preconditions and '{"full":true}' or '{"unavailable":true}'
    end
    welcome(command.player)
    apply(command.effects)
    decision = command.drawn and {drawn = command.drawn}
  else
    if redis.call('EXISTS', 'caught_up') == 0 then
      return '{"unavailable":true}'
    end
    decision, problem = decide(command, note.effects)
    if problem then
      return cjson.encode(problem)
    end
    note.player, note.stamina = command.player, command.stamina
  end
  if at then
    decision.drawn.received_at = at
  end
  set_names(command.names)
  for _, fact in ipairs(command.facts) do
    settle(fact, false)
  end
  set_note(command.name, note)
  if not command.once then
    return decision and cjson.encode(decision) or ''
  end
  decision.fingerprint = command.fingerprint
  response = cjson.encode(decision)
  redis.call('SET', 'response:' .. command.once, response, 'EX', %IDEMPOTENCY_TTL%)
  return response
end

local replies = {}
for position, text in ipairs(ARGV) do
  local command, told = cjson.decode(text), {}
  local reply = execute(command, told)
  if command.tells then
    reply = '{"fulls":' .. cjson.encode(told) .. ',"reply":' .. (reply == '' and '{}' or reply) .. '}'
  end
  replies[position] = reply
end
return replies
