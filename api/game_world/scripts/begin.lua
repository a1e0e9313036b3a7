-- Begins the world that a projection has made.
-- ARGV: the projection's token, the topic's id, then partitions and their next offsets.
-- Reply: 1, or 0 if another projection makes one.
-- Keys: making, positions, topic.
use_reserve()
if not go_on_making(ARGV[1]) then
  return 0
end
for position = 3, #ARGV, 2 do
  redis.call('HSET', 'positions', ARGV[position], ARGV[position + 1])
end
redis.call('SET', 'topic', ARGV[2])
redis.call('DEL', 'making')
return 1
