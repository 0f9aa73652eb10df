-- Gives the lease back. The sessions that the node held can be taken from now on.
-- KEYS: lease, nodes, addresses. ARGV: token, node.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[2])
return 1
