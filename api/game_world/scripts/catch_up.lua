-- Notes that the topic has been read to its end; not in a store that has lost where it was. Returns whether it did.
use_reserve()
return redis.call('EXISTS', 'positions') == 1 and redis.call('SET', 'caught_up', 1) and 1 or 0
