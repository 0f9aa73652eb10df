-- What the scripts about members and state of rooms have in common. Comes after
-- accept.lua.
-- KEYS: lease of the node, seq, log, owners
-- ARGV: lease token, base, max length of the log, max age (ms), then their own
--
-- A place is a namespace with its % and # escaped, a #, and the room. A reference
-- to a member is the length of the place, a blank, the place, the id. A holder is
-- <node>.<run>, as for sessions.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED the lease of the node is not this one')
end
local base = ARGV[2]

local function reference(place, id) return #place .. ' ' .. place .. id end

local function resolve(ref)
  local length, rest = string.match(ref, '^(%d+) (.*)$')
  if not length then return '', '' end
  return string.sub(rest, 1, tonumber(length)), string.sub(rest, tonumber(length) + 1)
end

-- A record of a member: lines, the last of which may be anything. What is not
-- ours counts as nothing.
local function member(place, id)
  local record = redis.call('HGET', base .. 'members:' .. place, id)
  if not record then return nil end
  local m = {}
  m.hold, m.version, m.joined, m.node, m.who, m.meta, m.holder =
    string.match(record, '^([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$')
  return m.holder and string.sub(m.who, 1, 5) == '"id":' and m
end

local function lives(holder)
  local node, run = string.match(holder, '^(.*)%.(%w+)$')
  if not node then return false end
  local lease = redis.call('GET', base .. 'lease:' .. node)
  return lease and string.sub(lease, 1, #run + 1) == run .. '.'
end

local function uvarint(n)
  local out = {}
  while n >= 128 do
    out[#out + 1] = string.char(n % 128 + 128)
    n = math.floor(n / 128)
  end
  out[#out + 1] = string.char(n)
  return table.concat(out)
end

local function field(number, value) return string.char(number) .. uvarint(#value) .. value end

-- Tells a room of an event, whose data lack only the version and the end. The
-- version is the number of the message. The body is as codec.go has it: count,
-- namespace, room, data; there is no origin.
local function tell(place, data)
  local at = string.find(place, '#', 1, true)
  if not at then return 0 end
  local namespace = string.gsub(string.gsub(string.sub(place, 1, at - 1), '%%23', '#'), '%%25', '%%')
  local room = string.sub(place, at + 1)
  local seq = number(redis.call('GET', KEYS[2]))
  local version = string.format('%d', seq + 1)
  local group = newGroup(base, KEYS[4], 'room:' .. namespace .. '#' .. room, true)
  add(group, '\1\1' .. field(2, uvarint(seq + 1)) .. field(4, namespace) .. field(5, room)
    .. field(7, data .. version .. '}]'), 1)
  accept(base, KEYS[2], KEYS[3], tonumber(ARGV[3]), ARGV[4], seq, clock(), {group})
  return seq + 1
end

-- Ends the entries of a member that leaves, all if it was the last.
local function disown(place, id)
  local state = base .. 'state:' .. place
  if redis.call('EXISTS', base .. 'members:' .. place) == 0 then
    redis.call('DEL', state)
    return
  end
  local owned, keys, entries = {}, {}, redis.call('HGETALL', state)
  for i = 1, #entries, 2 do
    local key, owner = string.match(entries[i + 1], '^[^\n]*\n[^\n]*\n([^\n]*)\n[^\n]*\n(.*)$')
    if owner == id then
      keys[#keys + 1] = entries[i]
      owned[entries[i]] = key
    end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    redis.call('HDEL', state, key)
    tell(place, '["state",{"key":' .. owned[key] .. ',"deleted":true,"version":')
  end
end

-- Takes a member out of its room. Returns the number of the last message.
local function remove(place, id, was)
  local ref = reference(place, id)
  redis.call('HDEL', base .. 'members:' .. place, id)
  redis.call('ZREM', base .. 'away', ref)
  redis.call('SREM', base .. 'present:' .. was.holder, ref)
  disown(place, id)
  return tell(place, '["presence:leave",{' .. was.who .. ',"version":')
end
