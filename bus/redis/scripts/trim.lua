-- Removes what is too old from the log. Ids are <number>-<milliseconds>, so the
-- place is found by halving.
-- KEYS: log, lock
-- ARGV: max age (ms), time until the next trim (ms)
-- Returns the number of entries removed.
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2]) then return 0 end
local function parts(entries)
  local n, ms = string.match(entries[1][1], '^(%d+)%-(%d+)$')
  return tonumber(n), tonumber(ms)
end
local t = redis.call('TIME')
local cutoff = t[1] * 1000 + math.floor(t[2] / 1000) - ARGV[1]
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
if #first == 0 then return 0 end
local low, stamp = parts(first)
if stamp >= cutoff then return 0 end
local high = parts(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)) + 1
while low < high do
  local middle = math.floor((low + high) / 2)
  local entry = redis.call('XRANGE', KEYS[1], string.format('%.0f', middle), '+', 'COUNT', 1)
  if #entry == 0 then
    high = middle
  else
    local n, ms = parts(entry)
    if ms >= cutoff then high = middle else low = n + 1 end
  end
end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', low))
