-- Removes a player, and what others' ties and the feed say of him. ARGV: the player.
local player = ARGV[1]
local key = 'hero:' .. player
index(player, 'guild', '', redis.call('HGET', key, 'guild') or '', '', '')
for _, board in ipairs({'gold', 'experience', 'power'}) do
  redis.call('ZREM', 'board:' .. board, player)
end
for _, kind in ipairs({'war', 'peace', 'alliance'}) do
  for _, pair in ipairs(redis.call('ZRANGE', 'ties:' .. kind, 0, -1)) do
    local cut = string.find(pair, PAIR, 1, true)
    local one, other = string.sub(pair, 1, cut - 1), string.sub(pair, cut + 1)
    if one == player or other == player then
      redis.call('ZREM', 'ties:' .. kind, pair)
      redis.call('HDEL', 'hero:' .. one, 'tie:' .. other, '@tie:' .. other)
    end
  end
end
redis.call('DEL', key)
redis.call('DEL', 'feed')
