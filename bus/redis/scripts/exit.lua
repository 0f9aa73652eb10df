-- Ends the presence of a socket in a room, or lets it be away.
-- KEYS, ARGV: see rooms.lua; then place, id, holder, hold (empty: any), how long it
-- may be away (ms)
-- Returns the number of the last message, 0 if the room was not told.
local place, id, holder, hold = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local was = member(place, id)
if not was or was.holder ~= holder or (hold ~= '' and was.hold ~= hold) then return 0 end
if tonumber(ARGV[9]) == 0 then return remove(place, id, was) end
local ref = reference(place, id)
redis.call('SREM', base .. 'present:' .. holder, ref)
redis.call('ZADD', base .. 'away', string.format('%.0f', clock() + ARGV[9]), ref)
return 0
