-- Takes back the effects of events that are surely not in the topic. ARGV: their names. Returns how many were pending.
local reverted = 0
for _, name in ipairs(ARGV) do
  if take_back(name) then
    reverted = reverted + 1
  end
end
return reverted
