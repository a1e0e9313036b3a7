-- Reverts pending events that are surely not in the topic.
-- ARGV: `shared` or `own`, then the events' names. With `own`, events that several requests wrote stay.
-- Reply: how many stayed.
-- Keys: pending, response:…, hero:…, guild:…, candidates:…, members:…, ties:…, tied:…, board:…, stamina:….
use_reserve()
local stayed = 0
for position = 2, #ARGV do
  local note = ARGV[1] == 'own' and note_of(ARGV[position])
  if note and note.shared then
    stayed = stayed + 1
  else
    revert(ARGV[position])
  end
end
return stayed
