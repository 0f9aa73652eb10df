-- Accepts messages, after accept.lua.
-- KEYS: lease of the publisher, seq, log, owners
-- ARGV: lease token, base, max length, max age (ms), name of the epoch in offsets, how
-- long ids are remembered (ms); then for each run of messages: channel, flags, how many
-- they are, body, and if it is one that has an id: that with its namespace, and the mark
-- of this message. The body is a batch if they are several.
-- The flags are four times "0" or "1": they get numbers, the room may be a socket, they
-- have offsets, it has an id. Runs to one channel that come one after the other are one
-- group.
-- Returns for each run the number of the first message, 0 if it has none, and the owner
-- of the room if it is a socket; if one with its id was accepted before, -1 and "<number>
-- <offset> <mark>" of that one.
local standing = redis.call('MGET', KEYS[1], KEYS[2])
if standing[1] ~= ARGV[1] then
  return redis.error_reply('FENCED the lease of the publisher is not this one')
end
local base = ARGV[2]
local begin = number(standing[2])
local seq, answer, groups, ids, group = begin, {}, {}, nil, nil

local at, last = 7, #ARGV
while at <= last do
  local channel, flags, count = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local numbered, named = string.byte(flags, 1) == 49, string.byte(flags, 4) == 49
  local key = named and base .. 'id:' .. ARGV[at + 4]
  local before = named and (ids and ids[key] or redis.call('GET', key))
  if before then
    answer[#answer + 1] = -1
    answer[#answer + 1] = before
  else
    if not group or group.name ~= channel or group.numbered ~= numbered then
      group = newGroup(base, string.byte(flags, 2) == 49 and KEYS[4], channel, numbered)
      groups[#groups + 1] = group
    end
    add(group, ARGV[at + 3], count)
    local n = numbered and seq + 1 or 0
    if numbered then seq = seq + count end
    answer[#answer + 1] = n
    answer[#answer + 1] = group.owner or ''
    if named then
      local digits = string.format('%d', n)
      ids = ids or {}
      local offset = string.byte(flags, 3) == 49 and ARGV[5] .. '-' .. digits or ''
      ids[key] = digits .. ' ' .. offset .. ' ' .. ARGV[at + 5]
    end
  end
  at = at + (named and 6 or 4)
end

if #groups > 0 then
  accept(base, KEYS[2], KEYS[3], tonumber(ARGV[3]), ARGV[4], begin, clock(), groups, ids, ARGV[6])
end
return answer
