-- Puts an entry aside: its fields, and why. Both or nothing.
-- KEYS: stream, lease, dead letters
-- ARGV: token, group, entry, about how many dead letters are kept, fields and values
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.error_reply('FENCED another holds the lease') end
if redis.call('XACK', KEYS[1], ARGV[2], ARGV[3]) == 0 then return 0 end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[4], '*', unpack(ARGV, 5))
return 1
