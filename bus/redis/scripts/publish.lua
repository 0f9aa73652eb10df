-- Accepts one message: number, log, channels, in one step.
-- KEYS: lease of the publisher, seq, log, owners
-- ARGV: lease token, base, channel, "1" if sequenced, max length, max age (ms), body
-- Returns the number, 0 for a message without one, and the owner of the room, if
-- it is a socket.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED the lease of the publisher is not this one')
end
local base, channel, room, owner = ARGV[2], ARGV[3], nil, false
if string.sub(channel, 1, 5) == 'room:' then
  owner = redis.call('HGET', KEYS[4], string.sub(channel, 6))
  if owner and redis.call('EXISTS', base .. 'lease:' .. owner) == 1 then
    -- Others may have joined the room that this socket is: it gets a copy.
    room, channel = channel, 'node:' .. owner
  else
    owner = false
  end
end
if ARGV[4] == '0' then
  local push = '0 0 0 ' .. EPOCH .. '\n' .. ARGV[7]
  redis.call('PUBLISH', base .. channel, push)
  if room then redis.call('PUBLISH', base .. room, push) end
  return {0, owner or ''}
end
local seq = tonumber(string.match(redis.call('GET', KEYS[2]) or '0', '^%d+')) + 1
local t = redis.call('TIME')
local n = string.format('%.0f', seq)
local ms = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
-- The append comes first: if it is refused, nothing has changed.
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[5], n .. '-' .. ms, 'c', channel, 'm', ARGV[7])
redis.call('SET', KEYS[2], n .. '-' .. ms)
local prev = redis.call('SET', base .. 'last:' .. channel, n, 'PX', ARGV[6], 'GET') or '0'
redis.call('PUBLISH', base .. channel, n .. ' ' .. prev .. ' ' .. ms .. ' ' .. EPOCH .. '\n' .. ARGV[7])
if room then
  redis.call('PUBLISH', base .. room, n .. ' 0 ' .. ms .. ' ' .. EPOCH .. '\n' .. ARGV[7])
end
return {seq, owner or ''}
