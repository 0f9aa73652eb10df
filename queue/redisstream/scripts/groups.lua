-- Creates groups that are missing, at the beginning of the stream.
-- Scripts that need them have this text before their own.
local function create(stream, group)
  -- BUSYGROUP: it is there already.
  local made = redis.pcall('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
  if made.err and string.sub(made.err, 1, 9) ~= 'BUSYGROUP' then return made end
end
