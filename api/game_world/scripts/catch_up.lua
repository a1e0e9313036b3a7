-- Notes that the topic has been read to its end, unless the store has lost its positions.
-- Reply: 1 if it was noted, else 0.
-- Keys: positions (read), caught_up.
use_reserve()
return redis.call('EXISTS', 'positions') == 1 and redis.call('SET', 'caught_up', 1) and 1 or 0
