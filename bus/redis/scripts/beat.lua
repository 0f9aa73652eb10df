-- Renews the lease and sends a probe through the node's own channel. Whoever
-- gets the probe has got, on the same connection, all up to its number before.
-- What else lives as long as the node is renewed with it.
-- KEYS: lease, nodes, seq, the sessions of the node, holders, addresses
-- ARGV: token, lease (ms), node, base, number of the probe, holder, time the
-- sessions last (ms), what is confirmed, address; the last two may be empty
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED the lease is not this one')
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function at(ms) return string.format('%.0f', now + ms) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[2], at(ARGV[2]), ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', at(0))
if redis.call('PEXPIRE', KEYS[4], ARGV[7]) == 1 then
  redis.call('ZADD', KEYS[5], at(ARGV[7]), ARGV[6])
  if ARGV[8] ~= '' then redis.call('HSET', KEYS[4], 'confirmed', ARGV[8]) end
end
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', at(0))
if ARGV[9] ~= '' then redis.call('HSET', KEYS[6], ARGV[3], ARGV[9]) end
local seq = string.gsub(redis.call('GET', KEYS[3]) or '0-0', '-', ' ')
redis.call(PUBLISH, ARGV[4] .. 'node:' .. ARGV[3], '0 0 0 ' .. EPOCH .. '\n\1\3' .. ARGV[5] .. ' ' .. seq)
return 1
