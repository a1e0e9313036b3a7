-- Takes back the effects of events that are surely not in the topic. ARGV: `shared` or `own`, their names. With `own`, those
-- are left of which several requests were told. Returns how many were left.
use_reserve()
local left = 0
for position = 2, #ARGV do
  local noted = ARGV[1] == 'own' and redis.call('HGET', 'pending', ARGV[position])
  if noted and cjson.decode(noted).shared then
    left = left + 1
  else
    take_back(ARGV[position])
  end
end
return left
