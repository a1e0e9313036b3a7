-- Reads players, guilds, claims and keys of requests for a snapshot: what the topic has made of them up to the positions,
-- without what is pending.
-- ARGV: keys of the world, `hero:…`, `guild:…`, `claim:…`, `once:…` or `seen:…`.
-- Reply: for each that exists a JSON object: {key, fields, seen} of a player or a guild, `seen` only of a visitor;
--   {key, value, left} of a claim or a request, {key, members, left} of a set; `left` is milliseconds.
-- Keys: pending, candidates:…, visitors, and the given ones (all read).

local wanted = {}
for _, key in ipairs(ARGV) do
  wanted[key] = {}
end
for _, noted in ipairs(redis.call('HVALS', 'pending')) do
  for _, effect in ipairs(cjson.decode(noted).effects) do
    local amounts = wanted[effect.owner .. ':' .. effect.name]
    if amounts then
      amounts[effect.attribute] = (amounts[effect.attribute] or 0) + effect.amount
    end
  end
end

local function fields_of(key)
  local found, fields = redis.call('HGETALL', key), {}
  for position = 1, #found, 2 do
    fields[found[position]] = found[position + 1]
  end
  if #found == 0 then
    return nil
  end
  for attribute, amount in pairs(wanted[key]) do
    fields[attribute] = string.format('%.0f', tonumber(fields[attribute] or 0) - amount)
  end
  return fields
end

-- Puts confirmed values in the place of pending ones.
local function settle_facts(player, fields)
  local confirmed = {}
  for _, found in ipairs(redis.call('ZRANGE', 'candidates:' .. player, 0, -1)) do
    local field, stamp, state, value = string.match(found, '^(.-)' .. PAIR .. '(.-)' .. PAIR .. '([cp])(.*)$')
    confirmed[field] = state == 'c' and {value, stamp} or confirmed[field] or {}
  end
  for field, held in pairs(confirmed) do
    fields[field], fields['@' .. field] = held[1], held[2]
  end
end

local function saved(key)
  local kind, name = string.match(key, '^(%a+):(.*)$')
  if kind == 'once' or kind == 'claim' then
    local value = redis.call('GET', key)
    return value and {key = key, value = value, left = math.max(1, redis.call('PTTL', key))}
  elseif kind == 'seen' then
    local members = redis.call('SMEMBERS', key)
    return #members > 0 and {key = key, members = members, left = math.max(1, redis.call('PTTL', key))}
  end
  local fields = fields_of(key)
  if not fields then
    return nil
  end
  if kind == 'hero' then
    settle_facts(name, fields)
  end
  return {key = key, fields = fields, seen = kind == 'hero' and redis.call('ZSCORE', 'visitors', name) or nil}
end

local replies = {}
for _, key in ipairs(ARGV) do
  local found = saved(key)
  if found then
    replies[#replies + 1] = cjson.encode(found)
  end
end
return replies
