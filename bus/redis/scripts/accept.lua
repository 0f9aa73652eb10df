-- Accepts a message: number, log, channels. The one place where that is done;
-- scripts that publish have this text before their own.
-- The body is a string, or a function that makes it of the number. Without
-- ownersKey the room is no socket.
-- Returns the number, 0 for a message without one, and the owner of the room, if
-- it is a socket.
local function publish(base, channel, push)
  redis.call(PUBLISH, base .. channel, push)
  if SHARDED and string.sub(channel, 1, 5) == 'room:' then redis.call(PUBLISH, base .. 'rooms', push) end
end
local function accept(base, seqKey, logKey, ownersKey, channel, numbered, length, age, body)
  local room, owner = nil, false
  if ownersKey and string.sub(channel, 1, 5) == 'room:' then
    owner = redis.call('HGET', ownersKey, string.sub(channel, 6))
    if owner and redis.call('EXISTS', base .. 'lease:' .. owner) == 1 then
      -- Others may have joined the room that this socket is: it gets a copy.
      room, channel = channel, 'node:' .. owner
    else
      owner = false
    end
  end
  if not numbered then
    local push = '0 0 0 ' .. EPOCH .. '\n' .. body
    publish(base, channel, push)
    if room then publish(base, room, push) end
    return {0, owner or ''}
  end
  local seq = tonumber(string.match(redis.call('GET', seqKey) or '0', '^%d+')) + 1
  local t = redis.call('TIME')
  local n = string.format('%.0f', seq)
  local ms = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
  if type(body) == 'function' then body = body(seq, n) end
  -- The append comes first: if it is refused, nothing has changed.
  redis.call('XADD', logKey, 'MAXLEN', '~', length, n .. '-' .. ms, 'c', channel, 'm', body)
  redis.call('SET', seqKey, n .. '-' .. ms)
  local prev = redis.call('SET', base .. 'last:' .. channel, n, 'PX', age, 'GET') or '0'
  publish(base, channel, n .. ' ' .. prev .. ' ' .. ms .. ' ' .. EPOCH .. '\n' .. body)
  if room then
    publish(base, room, n .. ' 0 ' .. ms .. ' ' .. EPOCH .. '\n' .. body)
  end
  return {seq, owner or ''}
end
