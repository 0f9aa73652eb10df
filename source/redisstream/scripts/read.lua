-- Reads entries for the holder of the lease, under the one name that all holders
-- have, after it has acknowledged others. A group that is missing is created, and the
-- stream with it.
-- KEYS: stream, lease
-- ARGV: token, group, consumer, after ('>': new ones), count, where a new group begins,
-- entries that are done with
-- Returns the entries, and the last that the group has got.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('FENCED another holds the lease') end
if #ARGV > 6 then redis.pcall('XACK', KEYS[1], ARGV[2], unpack(ARGV, 7)) end
local function read()
  return redis.pcall('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[5], 'STREAMS', KEYS[1], ARGV[4])
end
local got = read()
if type(got) == 'table' and got.err and string.find(got.err, 'NOGROUP', 1, true) then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[2], ARGV[6], 'MKSTREAM')
  got = read()
end
if type(got) == 'table' and got.err then return got end
local last = ''
for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local of = {}
  for i = 1, #info, 2 do of[info[i]] = info[i + 1] end
  if of['name'] == ARGV[2] then last = of['last-delivered-id'] end
end
return {got and got[1][2] or {}, last}
