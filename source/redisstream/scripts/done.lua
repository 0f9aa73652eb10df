-- Acknowledges entries.
-- KEYS: stream, lease
-- ARGV: token, group, entries
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('FENCED another holds the lease') end
return redis.call('XACK', KEYS[1], ARGV[2], unpack(ARGV, 3))
