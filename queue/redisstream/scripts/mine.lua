-- Reads what a consumer has.
-- KEYS: stream
-- ARGV: group, consumer, from, number
-- Returns the entries, how often each was delivered, and the last that was looked at.
local entries, tries, last = {}, {}, ''
for _, p in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], '+', ARGV[4], ARGV[2])) do
  last = p[1]
  local found = redis.call('XRANGE', KEYS[1], p[1], p[1])
  if found[1] then
    entries[#entries + 1], tries[#tries + 1] = found[1], p[4]
  else
    redis.call('XACK', KEYS[1], ARGV[1], p[1]) -- deleted: there is nothing to handle
  end
end
return {entries, tries, last}
