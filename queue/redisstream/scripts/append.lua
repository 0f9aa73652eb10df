-- Appends an event, unless one with its ID was appended.
-- KEYS: stream, ID, last entry of the key (if there is a key)
-- ARGV: window of IDs (ms), who appends, how long keys are remembered (ms), number
-- of groups, groups, fields and values
-- Returns the entry; of an ID that is known, who appended it.
local known = redis.call('GET', KEYS[2])
if known then return {'', known} end
local n = tonumber(ARGV[4])
if redis.call('EXISTS', KEYS[1]) == 0 then
  for i = 5, 4 + n do
    local failed = create(KEYS[1], ARGV[i])
    if failed then return failed end
  end
end
local fields = {}
for i = 5 + n, #ARGV do fields[#fields + 1] = ARGV[i] end
local last = KEYS[3] and redis.call('GET', KEYS[3])
if last then
  fields[#fields + 1] = 'after'
  fields[#fields + 1] = last
end
-- The append comes first: if it is refused, nothing has changed.
local entry = redis.call('XADD', KEYS[1], '*', unpack(fields))
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[1])
if KEYS[3] then redis.call('SET', KEYS[3], entry, 'PX', ARGV[3]) end
return {entry}
