-- Restores what save.lua read, in a store without a world.
-- ARGV: the token of the projection that makes the world, save.lua's replies.
-- Reply: 1, or 0 if another projection makes it.
-- Keys: making, the given ones, board:…, members:…, ties:…, tied:…, visitors.
use_reserve()
if not go_on_making(ARGV[1]) then
  return 0
end

local function restore_hero(player, saved)
  for attribute in pairs(START) do
    if attribute ~= 'health' then
      redis.call('ZADD', 'board:' .. attribute, saved.fields[attribute] or 0, player)
    end
  end
  for field, value in pairs(saved.fields) do
    local stamp = saved.fields['@' .. field]
    if stamp then
      local target = string.match(field, '^tie:(.*)$')
      local fact = {player = player, name = target and 'tie' or 'guild', target = target or ''}
      index(fact, NOTHING, {value = value, stamp = stamp})
    end
  end
  if saved.seen then
    redis.call('ZADD', 'visitors', saved.seen, player)
  end
end

-- Restores a string. Of two claims of a name the earlier one holds.
local function restore_value(kind, saved)
  local present = kind == 'claim' and redis.call('GET', saved.key)
  if not present or tonumber(present) > tonumber(saved.value) then
    redis.call('SET', saved.key, saved.value, 'PX', saved.left)
  end
end

for position = 2, #ARGV do
  local saved = cjson.decode(ARGV[position])
  local kind, name = string.match(saved.key, '^(%a+):(.*)$')
  if saved.fields then
    local fields = {}
    for field, value in pairs(saved.fields) do
      fields[#fields + 1] = field
      fields[#fields + 1] = value
    end
    redis.call('HSET', saved.key, unpack(fields))
    if kind == 'hero' then
      restore_hero(name, saved)
    end
  elseif saved.value then
    restore_value(kind, saved)
  else
    for _, member in ipairs(saved.members) do
      redis.call('SADD', saved.key, member)
    end
    redis.call('PEXPIRE', saved.key, saved.left)
  end
end
return 1
