-- Sets or deletes an entry of the state of a room, and tells the room.
-- KEYS, ARGV: see rooms.lua; then place, key, version that the entry must have,
-- most entries, nonce, owner, event without version and end, key (JSON), value
-- (JSON; empty: delete)
-- Returns {"ok", version}, {"conflict", record or empty}, {"empty"}, {"absent"} or
-- {"full"}. The nonce tells a call that is repeated, since its answer was lost,
-- from another's.
local place, key, owner, value = ARGV[5], ARGV[6], ARGV[10], ARGV[13]
local members, state = base .. 'members:' .. place, base .. 'state:' .. place
if redis.call('EXISTS', members) == 0 then return {'empty'} end
local was = redis.call('HGET', state, key)
local version, nonce = '0', nil
if was then version, nonce = string.match(was, '^(%d+)\n([^\n]*)\n') end
if not version then was, version = nil, '0' end -- not ours
if nonce == ARGV[9] then return {'ok', version} end
if version ~= ARGV[7] then return {'conflict', was or ''} end
if value == '' and not was then return {'ok', '0'} end
if owner ~= '' and redis.call('HEXISTS', members, owner) == 0 then return {'absent'} end
if not was and redis.call('HLEN', state) >= tonumber(ARGV[8]) then return {'full'} end
version = string.format('%.0f', tell(place, ARGV[11]))
if value == '' then
  redis.call('HDEL', state, key)
else
  redis.call('HSET', state, key, table.concat({version, ARGV[9], ARGV[12], value, owner}, '\n'))
end
return {'ok', version}
