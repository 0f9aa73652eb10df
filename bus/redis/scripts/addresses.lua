-- KEYS: addresses. ARGV: base.
-- Returns nodes that live, each followed by its address; forgets the others.
local all, alive = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  if redis.call('EXISTS', ARGV[1] .. 'lease:' .. all[i]) == 1 then
    alive[#alive + 1] = all[i]
    alive[#alive + 1] = all[i + 1]
  else
    redis.call('HDEL', KEYS[1], all[i])
  end
end
return alive
