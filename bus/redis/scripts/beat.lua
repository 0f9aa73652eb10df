-- Renews the lease and sends a probe through the node's own channel. Whoever
-- gets the probe has got, on the same connection, all up to its number before.
-- KEYS: lease, nodes, seq
-- ARGV: token, lease (ms), node, base, number of the probe
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED the lease is not this one')
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[2]), ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - 60000))
local seq = string.gsub(redis.call('GET', KEYS[3]) or '0-0', '-', ' ')
redis.call('PUBLISH', ARGV[4] .. 'node:' .. ARGV[3], '0 0 0 ' .. EPOCH .. '\n\1\3' .. ARGV[5] .. ' ' .. seq)
return 1
