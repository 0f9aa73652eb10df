-- Accepts messages, after accept.lua.
-- KEYS: lease of the publisher, seq, log, owners, nodes
-- ARGV: lease token, base, max length, max age (ms), name of the epoch in offsets, how
-- long ids are remembered (ms); then for each message: channel, flags, body, and if
-- it has an id: that with its namespace, and the mark of this message.
-- The flags are four times "0" or "1": it gets a number, the room may be a socket, it
-- has an offset, it has an id. Messages of one channel come one after the other.
-- Returns for each message the number, 0 if it has none, and the owner of the room if
-- it is a socket; if one with its id was accepted before, -1 and "<number> <offset>
-- <mark>" of that one.
local standing = redis.call('MGET', KEYS[1], KEYS[2])
if standing[1] ~= ARGV[1] then
  return redis.error_reply('FENCED the lease of the publisher is not this one')
end
local base, length, now = ARGV[2], tonumber(ARGV[3]), clock()
local begin = number(standing[2])
local seq, alone, answer, groups, ids, group = begin, nil, {}, {}, nil, nil

-- Whether there are nodes that cannot read several messages at once.
local function each()
  if alone == nil then alone = redis.call('ZCOUNT', KEYS[5], string.format('%.0f', now), '(' .. NEWER) > 0 end
  return alone
end

local at, last = 7, #ARGV
while at <= last do
  local channel, flags, body = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local numbered, named = string.byte(flags, 1) == 49, string.byte(flags, 4) == 49
  local key = named and base .. 'id:' .. ARGV[at + 3]
  local before = named and (ids and ids[key] or redis.call('GET', key))
  if before then
    answer[#answer + 1] = -1
    answer[#answer + 1] = before
  else
    if not group or group.name ~= channel or group.numbered ~= numbered or each() then
      group = newGroup(base, string.byte(flags, 2) == 49 and KEYS[4], channel, numbered)
      groups[#groups + 1] = group
    end
    group.bodies[#group.bodies + 1] = body
    if numbered then seq = seq + 1 end
    local n = numbered and seq or 0
    answer[#answer + 1] = n
    answer[#answer + 1] = group.owner or ''
    if named then
      local digits = string.format('%d', n)
      ids = ids or {}
      local offset = string.byte(flags, 3) == 49 and ARGV[5] .. '-' .. digits or ''
      ids[key] = digits .. ' ' .. offset .. ' ' .. ARGV[at + 4]
    end
  end
  at = at + (named and 5 or 3)
end

if #groups > 1 and each() then
  for _, g in ipairs(groups) do
    accept(base, KEYS[2], KEYS[3], length, ARGV[4], begin, now, {g}, ids, ARGV[6])
    if g.numbered then begin = begin + 1 end
    ids = nil
  end
elseif #groups > 0 then
  accept(base, KEYS[2], KEYS[3], length, ARGV[4], begin, now, groups, ids, ARGV[6])
end
return answer
