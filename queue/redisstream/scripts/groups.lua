-- Creates groups that are missing, at the beginning of the stream.
-- Scripts that need them have this text before their own.
local function create(stream, group)
  -- BUSYGROUP: it is there already.
  local made = redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
  if not made.err or string.sub(made.err, 1, 9) == 'BUSYGROUP' then return end
  -- A Redis that is full creates nothing, but it can be read, acknowledged and trimmed.
  local there = redis.pcall('XINFO', 'GROUPS', stream)
  if not there.err then
    for _, g in ipairs(there) do
      if g[2] == group then return end
    end
  end
  return made
end
