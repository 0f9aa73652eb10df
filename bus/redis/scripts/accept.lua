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
-- numbers, or none. It is made of bodies, each of which is a message or a batch. Without ownersKey the channel is not that of a socket. If it is,
-- they go to the node that it is on. Others may have joined the room that this socket
-- is: it gets a copy.
local function newGroup(base, ownersKey, channel, numbered)
  -- All fields are named here: a table that grows costs time.
  local g = {
    name = channel, channel = channel, room = false, owner = false, numbered = numbered,
    bodies = {}, counts = {}, count = 0, body = false, first = false, last = false,
  }
  if ownersKey and string.sub(channel, 1, 5) == 'room:' then
    local owner = redis.call('HGET', ownersKey, string.sub(channel, 6))
    if owner and redis.call('EXISTS', base .. 'lease:' .. owner) == 1 then
      g.owner, g.room, g.channel = owner, channel, 'node:' .. owner
    end
  end
  return g
end

-- Adds a message to a group, or a batch of so many.
local function add(group, body, count)
  local at = #group.bodies + 1
  group.bodies[at], group.counts[at], group.count = body, count, group.count + count
end

-- The body of a group: the only one it has, or all in a batch, see codec_batch.go.
local function bodyOf(group)
  if #group.bodies == 1 then return group.bodies[1] end
  local parts = {'\1\7'}
  for i, body in ipairs(group.bodies) do
    if group.counts[i] == 1 then
      parts[#parts + 1] = struct.pack('>I4', #body)
      parts[#parts + 1] = body
    else
      parts[#parts + 1] = string.sub(body, 3)
    end
  end
  return table.concat(parts)
end

-- The log is trimmed whenever a number of this many has been reached.
local TRIM = 128

-- Numbers the groups from after seq on, as one entry of the log, and sends them.
-- ids, if there are any, are remembered with what they stand for when the log has the
-- messages: if it refuses, nothing has changed.
local function accept(base, seqKey, logKey, length, age, seq, now, groups, ids, window)
  local entry, before = {nil, nil, nil, nil}, seq
  for i = 1, #groups do
    local g = groups[i]
    g.body = bodyOf(g)
    if g.numbered then
      g.first, seq = seq + 1, seq + g.count
      g.last = string.format('%d', seq)
      local at = #entry
      entry[at + 1], entry[at + 2], entry[at + 3], entry[at + 4] = 'c', g.channel, 'm', g.body
    end
  end
  local ms = string.format('%d', now)
  if seq > before then
    local id = string.format('%d-', seq) .. ms
    if seq % TRIM < seq - before and seq > length then
      redis.call('XADD', logKey, 'MINID', '~', string.format('%d', seq - length), id, unpack(entry))
    else
      redis.call('XADD', logKey, id, unpack(entry))
    end
    redis.call('SET', seqKey, id)
  end
  if ids then
    for key, value in pairs(ids) do redis.call('SET', key, value, 'PX', window) end
  end
  local tail = ' ' .. ms .. ' ' .. EPOCH .. '\n'
  for i = 1, #groups do
    local g = groups[i]
    local line, copy = '0 0 0 ' .. EPOCH .. '\n', nil
    if g.numbered then
      local first = g.last
      if g.count > 1 then first = string.format('%d', g.first) end
      line = first .. ' ' .. (redis.call('SET', base .. 'last:' .. g.channel, g.last, 'PX', age, 'GET') or '0') .. tail
      copy = first .. ' 0' .. tail
    end
    publish(base, g.channel, line .. g.body)
    if g.room then publish(base, g.room, (copy or line) .. g.body) end
  end
end
