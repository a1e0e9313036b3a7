-- Lets a projection make a world, or go on making it, unless another one does.
-- ARGV: the projection's token.
-- Reply: 1, or 0 if another projection makes one.
-- Keys: making.
use_reserve()
if redis.call('EXISTS', 'making') == 0 then
  redis.call('SET', 'making', ARGV[1])
end
return go_on_making(ARGV[1]) and 1 or 0
