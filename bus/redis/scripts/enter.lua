-- Takes the lease of a node and tells the node, through its own channel, where
-- the log stands. Adopts a new epoch if this Redis is another than it was.
-- KEYS: epoch, seq, lease, nodes, awaited
-- ARGV: run and generation of the token "<run>.<generation>", lease (ms), node,
-- base, serial
-- Returns replication id, counter, seq.
local info = redis.call('INFO', 'replication')
local replication = string.match(info, 'master_replid:(%x+)')
if not replication or string.find(info, 'role:slave', 1, true) then
  return redis.error_reply('READONLY not a master')
end
local held = redis.call('GET', KEYS[3])
if held then
  local run, generation = string.match(held, '^(.*)%.(%d+)$')
  if run ~= ARGV[1] then
    return redis.error_reply('TAKEN another node has this id')
  end
  if tonumber(generation) > tonumber(ARGV[2]) then
    return redis.error_reply('FENCED a later lease is held')
  end
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local top = redis.call('GET', KEYS[2]) or '0-0'
local epoch = redis.call('HMGET', KEYS[1], 'id', 'n', 'from')
if epoch[1] ~= replication then
  -- Begins at the clock, so that it does not go back when the key is lost.
  epoch[2] = string.format('%.0f', math.max(tonumber(epoch[2] or '0') + 1, now))
  epoch[3] = string.match(top, '^%d+')
  redis.call('HSET', KEYS[1], 'id', replication, 'n', epoch[2], 'from', epoch[3], 'at', string.format('%.0f', now))
  -- Who was there before has to come over, see cross.lua.
  redis.call('DEL', KEYS[5])
  for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', '+inf')) do redis.call('SADD', KEYS[5], node) end
end
redis.call('SET', KEYS[3], ARGV[1] .. '.' .. ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[4], string.format('%.0f', now + ARGV[3]), ARGV[4])
local seq = string.gsub(top, '-', ' ')
redis.call(PUBLISH, ARGV[5] .. 'node:' .. ARGV[4],
  '0 0 0 ' .. epoch[2] .. '\n\1\4' .. ARGV[6] .. ' ' .. seq .. ' ' .. replication .. ' ' .. epoch[2]
  .. ' ' .. (epoch[3] or '0'))
return {replication, epoch[2], seq}
