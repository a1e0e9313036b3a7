-- Notes that events may be in the topic although no response said so.
-- ARGV: a JSON object for each: `once`, what the event is counted once by; for an event without an Idempotency-Key also
--   `name`, its name among the pending ones, and `response`, which a retry under its id gets, as JSON.
-- Keys: unconfirmed:…, response:…, pending.
for _, argument in ipairs(ARGV) do
  local event = cjson.decode(argument)
  redis.call('SET', 'unconfirmed:' .. event.once, 1, 'EX', %RETRY_SECONDS%)
  if event.name then
    redis.call('SET', 'response:' .. event.once, event.response, 'EX', %RETRY_SECONDS%, 'NX')
    local note = note_of(event.name)
    if note then
      -- If the event is reverted, its cached response goes, too.
      note.once = event.once
      set_note(event.name, note)
    end
  end
end
