-- Sets the next offset of a partition, unless the store has lost the world since its positions were read.
-- ARGV: the topic's id; partition; its next offset as it was read, or empty; the one to set.
-- Reply: 1 if it was set, else 0.
-- Keys: topic (read), positions.
use_reserve()
if redis.call('GET', 'topic') ~= ARGV[1] or (redis.call('HGET', 'positions', ARGV[2]) or '') ~= ARGV[3] then
  return 0
end
redis.call('HSET', 'positions', ARGV[2], ARGV[4])
return 1
