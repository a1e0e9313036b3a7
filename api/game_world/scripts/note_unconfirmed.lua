-- Notes that events may be in the topic though nobody was told so. ARGV: for each JSON: what it is counted once by; and of
-- an event that was not marked, its name among the pending ones and what a retry under its id is to be told.
for _, argument in ipairs(ARGV) do
  local once, name, told = unpack(cjson.decode(argument))
  redis.call('SET', 'unsure:' .. once, 1, 'EX', %RETRY_SECONDS%)
  if name then
    redis.call('SET', 'told:' .. once, told, 'EX', %RETRY_SECONDS%, 'NX')
    local noted = redis.call('HGET', 'pending', name)
    if noted then
      -- So that what a retry is told is forgotten when this is taken back.
      local note = cjson.decode(noted)
      note.once = once
      redis.call('HSET', 'pending', name, cjson.encode(note))
    end
  end
end
return #ARGV
