-- Stores the session of a client that has gone, with the time at which the node
-- began to hold it and what it has confirmed.
-- KEYS: the sessions of the node, the session while its client is away
-- ARGV: field, session, ttl (ms), "1" if held before, what is confirmed
-- Returns 1, or 0 if another node has taken it.
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old and ARGV[4] == '1' then return 0 end
local line = '0'
if old then
  redis.call('HDEL', KEYS[1], ARGV[1])
  line = (string.match(old, '^%d+') or '') .. ' ' .. ARGV[5]
end
redis.call('SET', KEYS[2], line .. '\n' .. ARGV[2], 'PX', ARGV[3])
return 1
