-- Ends an entry: acknowledges it, with all that goes with that.
-- KEYS: stream, mark of the ID, answer
-- ARGV: group, entry, how long the mark stays (ms, 0: none), answer ('': none), how
-- long it stays (ms), then for each command the number of its words, and these
-- Returns 1 if this was the first to end it.
local stream, group, entry = KEYS[1], ARGV[1], ARGV[2]
local marks = ARGV[3] ~= '0'
if #redis.call('XPENDING', stream, group, entry, entry, 1) == 0 then return 0 end
if marks and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('XACK', stream, group, entry)
  return 0
end
-- The acknowledgement comes last: if something is refused, as all that takes memory is
-- by a Redis that is full, the entry is still there.
local i = 6
while ARGV[i] do
  local n = tonumber(ARGV[i])
  local done = redis.pcall(unpack(ARGV, i + 1, i + n))
  if type(done) == 'table' and done.err then
    return redis.error_reply('REFUSED ' .. done.err)
  end
  i = i + 1 + n
end
if marks then redis.call('SET', KEYS[2], entry, 'PX', ARGV[3]) end
if ARGV[4] ~= '' then answer(KEYS[3], ARGV[4], ARGV[5]) end
redis.call('XACK', stream, group, entry)
return 1
