-- Puts dead letters back.
-- KEYS: stream, dead letters
-- ARGV: entries of the dead letters
-- Returns the new entry of each, '' for one that is gone.
local new = {}
for i, id in ipairs(ARGV) do
  local found = redis.call('XRANGE', KEYS[2], id, id)
  new[i] = ''
  if found[1] then
    local fields, group = {}, nil
    for j = 1, #found[1][2], 2 do
      local name, value = found[1][2][j], found[1][2][j + 1]
      if name == 'dead:group' then group = value end
      -- What came before it has gone on long since; only its group needs it.
      if string.sub(name, 1, 5) ~= 'dead:' and name ~= 'after' and name ~= 'for' then
        fields[#fields + 1] = name
        fields[#fields + 1] = value
      end
    end
    if group then
      fields[#fields + 1] = 'for'
      fields[#fields + 1] = group
    end
    new[i] = redis.call('XADD', KEYS[1], '*', unpack(fields))
    redis.call('XDEL', KEYS[2], id)
  end
end
return new
