-- Removes owners that are dead, a part of the directory at a time.
-- KEYS: owners. ARGV: cursor, base. Returns the next cursor.
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 500)
local alive = {}
for i = 1, #page[2], 2 do
  local owner = page[2][i + 1]
  if alive[owner] == nil then alive[owner] = redis.call('EXISTS', ARGV[2] .. 'lease:' .. owner) == 1 end
  if not alive[owner] then redis.call('HDEL', KEYS[1], page[2][i]) end
end
return page[1]
