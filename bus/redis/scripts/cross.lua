-- Notes that a node has come over from an earlier epoch, and up to where that had
-- reached if the log does not have that any more. Then a hole goes to all nodes, after
-- accept.lua, as a message of the log. Called again it does no harm.
-- KEYS: seq, log, epoch, awaited, hole of the earlier epoch
-- ARGV: base, max length, max age (ms), node, the number that the log does not have or
-- 0, body of the hole, how long it is remembered (ms)
-- Returns the highest number of the earlier epoch that is known not to be in the log,
-- 0 if none is, how many nodes are yet to come, and the age of this epoch (ms).
local known, reached, now = tonumber(redis.call('GET', KEYS[5]) or '0'), tonumber(ARGV[5]), clock()
if reached > known then
  local group = newGroup(ARGV[1], false, 'all', true)
  add(group, ARGV[6], 1)
  accept(ARGV[1], KEYS[1], KEYS[2], tonumber(ARGV[2]), ARGV[3], number(redis.call('GET', KEYS[1])), now, {group})
  redis.call('SET', KEYS[5], ARGV[5], 'PX', ARGV[7])
  known = reached
end
redis.call('SREM', KEYS[4], ARGV[4])
return {known, redis.call('SCARD', KEYS[4]), now - tonumber(redis.call('HGET', KEYS[3], 'at') or '0')}
