-- Sets the next offset of a partition.
-- ARGV: partition, offset.
-- Keys: positions.
use_reserve()
redis.call('HSET', 'positions', ARGV[1], ARGV[2])
