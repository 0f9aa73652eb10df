-- Removes what all groups are done with; without a group, what is beyond a length.
-- KEYS: stream
-- ARGV: length, how many may go at a time, groups that there should be
-- Returns the number of entries removed.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for i = 3, #ARGV do
  local failed = create(KEYS[1], ARGV[i])
  if failed then return failed end
end
local function before(a, b)
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  am, as, bm, bs = tonumber(am), tonumber(as), tonumber(bm), tonumber(bs)
  return am < bm or am == bm and as < bs
end
local lowest
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local at = {}
  for i = 1, #group, 2 do at[group[i]] = group[i + 1] end
  local first = at['last-delivered-id'] -- itself done with; it stays until there is a next
  local pending = redis.call('XPENDING', KEYS[1], at['name'])
  if pending[1] > 0 and before(pending[2], first) then first = pending[2] end
  if not lowest or before(first, lowest) then lowest = first end
end
if not lowest then return redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1], 'LIMIT', ARGV[2]) end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', lowest, 'LIMIT', ARGV[2])
