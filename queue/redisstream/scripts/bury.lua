-- Makes an entry a dead letter.
-- KEYS: stream, dead letters, answer
-- ARGV: group, entry, answer ('': none), how long it stays (ms), fields and values
-- that are added
-- Returns 1, or 0 if the entry had ended before.
local stream, group, entry = KEYS[1], ARGV[1], ARGV[2]
if #redis.call('XPENDING', stream, group, entry, entry, 1) == 0 then return 0 end
local found = redis.call('XRANGE', stream, entry, entry)
local fields = found[1] and found[1][2] or {}
for i = 5, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('XADD', KEYS[2], '*', unpack(fields))
redis.call('XACK', stream, group, entry)
if ARGV[3] ~= '' then answer(KEYS[3], ARGV[3], ARGV[4]) end
return 1
