-- Takes over entries that were left.
-- KEYS: stream
-- ARGV: group, consumer, idle (ms), number
-- Returns the entries and how often each was delivered.
local got, at = {}, '0-0'
repeat -- a call looks at a part of what is pending
  local part = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], at, 'COUNT', ARGV[4])
  at, got = part[1], part[2]
until #got > 0 or at == '0-0'
local tries = {}
for i, entry in ipairs(got) do
  tries[i] = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)[1][4]
end
return {got, tries}
