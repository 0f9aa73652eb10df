-- Accepts messages: numbers, log, channels. The one place where that is done;
-- scripts that publish have this text before their own.
local function publish(base, channel, push)
  redis.call(PUBLISH, base .. channel, push)
  if SHARDED and string.sub(channel, 1, 5) == 'room:' then redis.call(PUBLISH, base .. 'rooms', push) end
end

-- Milliseconds.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- The number in what the key of numbers holds.
local function number(stored) return tonumber(string.match(stored or '0', '^%d+')) end

-- A group is messages that go to one channel, one after the other: all of them with
-- numbers, or none. Without ownersKey the channel is not that of a socket. If it is,
-- they go to the node that it is on. Others may have joined the room that this socket
-- is: it gets a copy.
local function newGroup(base, ownersKey, channel, numbered)
  local g = {name = channel, channel = channel, numbered = numbered, bodies = {}}
  if ownersKey and string.sub(channel, 1, 5) == 'room:' then
    local owner = redis.call('HGET', ownersKey, string.sub(channel, 6))
    if owner and redis.call('EXISTS', base .. 'lease:' .. owner) == 1 then
      g.owner, g.room, g.channel = owner, channel, 'node:' .. owner
    end
  end
  return g
end

-- The body of a group: that of its message, or a batch, see codec_batch.go.
local function bodyOf(group)
  if #group.bodies == 1 then return group.bodies[1] end
  local parts = {'\1\7'}
  for i, body in ipairs(group.bodies) do
    parts[2 * i] = struct.pack('>I4', #body)
    parts[2 * i + 1] = body
  end
  return table.concat(parts)
end

-- Numbers the groups from after seq on, as one entry of the log, and sends them.
-- When the log has them, appended is called: if it is refused, nothing has changed.
local function accept(base, seqKey, logKey, length, age, seq, now, groups, appended)
  local entry, first = {}, seq + 1
  for _, g in ipairs(groups) do
    g.body = bodyOf(g)
    if g.numbered then
      g.first, seq = string.format('%.0f', seq + 1), seq + #g.bodies
      g.last = string.format('%.0f', seq)
      local at = #entry
      entry[at + 1], entry[at + 2], entry[at + 3], entry[at + 4] = 'c', g.channel, 'm', g.body
    end
  end
  local ms = string.format('%.0f', now)
  if seq >= first then
    local id = string.format('%.0f', seq) .. '-' .. ms
    redis.call('XADD', logKey, 'MINID', '~', string.format('%.0f', math.max(first - length, 0)), id, unpack(entry))
    redis.call('SET', seqKey, id)
  end
  if appended then appended() end
  local tail = ' ' .. ms .. ' ' .. EPOCH .. '\n'
  for _, g in ipairs(groups) do
    if g.numbered then
      local prev = redis.call('SET', base .. 'last:' .. g.channel, g.last, 'PX', age, 'GET') or '0'
      publish(base, g.channel, g.first .. ' ' .. prev .. tail .. g.body)
      if g.room then publish(base, g.room, g.first .. ' 0' .. tail .. g.body) end
    else
      local push = '0 0 0 ' .. EPOCH .. '\n' .. g.body
      publish(base, g.channel, push)
      if g.room then publish(base, g.room, push) end
    end
  end
end
