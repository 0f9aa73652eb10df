-- Makes a socket present in a room, or changes how, and tells the room.
-- KEYS, ARGV: see rooms.lua; then place, id, holder, hold, kind, time of joining,
-- node, who, meta (all JSON), time that the members of this holder may be away
-- without it (ms)
-- kind: arrive, amend (only what this hold has), return (as it was), restore (as
-- it was, and not from another node that lives)
-- Returns {"ok", number of the message or 0, record}, {"absent"} or {"taken"}.
local place, id, holder, hold, kind = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local joined, node, who, meta = ARGV[10], ARGV[11], ARGV[12], ARGV[13]
local ref, was = reference(place, id), member(place, id)
local mine = was and was.holder == holder and was.hold == hold
if kind == 'amend' and not mine then return {'absent'} end
if kind == 'restore' and was and not mine
  and not redis.call('ZSCORE', base .. 'away', ref) and lives(was.holder) then
  return {'taken'}
end
local event = 'join'
if was then
  joined = was.joined
  if kind == 'return' or kind == 'restore' then who, meta = was.who, was.meta end
  event = (who ~= was.who or meta ~= was.meta) and 'update'
end
local seq, version = '0', was and was.version
if event then
  seq = string.format('%.0f', tell(place, '["presence:' .. event .. '",{' .. who .. ',"meta":' .. meta .. ',"joinedAt":' .. joined ..
    ',"node":' .. node .. ',"version":'))
  version = seq
end
local record = table.concat({hold, version, joined, node, who, meta, holder}, '\n')
redis.call('HSET', base .. 'members:' .. place, id, record)
redis.call('ZREM', base .. 'away', ref)
if was and was.holder ~= holder then redis.call('SREM', base .. 'present:' .. was.holder, ref) end
redis.call('SADD', base .. 'present:' .. holder, ref)
redis.call('HSET', base .. 'present', holder, ARGV[14])
return {'ok', seq, record}
