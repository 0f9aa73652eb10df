-- Gives an answer, if there is none. Scripts that answer have this text before
-- their own.
local function answer(key, text, ms)
  if not redis.call('SET', key, text, 'NX', 'PX', ms) then return 0 end
  redis.call('PUBLISH', key, text)
  return 1
end
