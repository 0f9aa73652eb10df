-- Lets members be away whose node has died, and lets those leave that were away for
-- too long. Any node does that for all; each member is dealt with once, since it
-- is taken out of the set in the same step.
-- KEYS, ARGV: see rooms.lua; then holder, most members at a time, least time for
-- the members of a dead node (ms): when Redis was away, nodes that live have no
-- lease for a moment
-- Returns whether there is more to do, and how many members the holder has.
local present, away, most = base .. 'present', base .. 'away', tonumber(ARGV[6])
if redis.call('EXISTS', present, away) == 0 then return {0, 0} end
local time, more = clock(), 0
local holders = redis.call('HGETALL', present)
for i = 1, #holders, 2 do
  local holder, set = holders[i], present .. ':' .. holders[i]
  if not lives(holder) then
    for _, ref in ipairs(redis.call('SPOP', set, most)) do
      local was = member(resolve(ref))
      if was and was.holder == holder then
        redis.call('ZADD', away, string.format('%.0f', time + math.max(tonumber(holders[i + 1]) or 0, tonumber(ARGV[7]))), ref)
      end
    end
    if redis.call('EXISTS', set) == 0 then redis.call('HDEL', present, holder) else more = 1 end
  end
end
local over = redis.call('ZRANGEBYSCORE', away, '-inf', string.format('%.0f', time), 'LIMIT', 0, most)
for _, ref in ipairs(over) do
  local place, id = resolve(ref)
  local was = member(place, id)
  if was then remove(place, id, was) else redis.call('ZREM', away, ref) end
end
if #over == most then more = 1 end
return {more, redis.call('SCARD', present .. ':' .. ARGV[5])}
