-- Bounds the dead letters: the oldest go.
-- KEYS: dead letters, how many have gone
-- ARGV: length, how many may go at a time
-- Returns the number of entries removed.
local n = redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[1], 'LIMIT', ARGV[2])
if n > 0 then redis.pcall('INCRBY', KEYS[2], n) end -- a Redis that is full counts no more
return n
