-- Stores the session of a client that is on this node. What is stored begins with
-- the time at which the node began to hold it: that stays.
-- KEYS: the sessions of the node, holders, the session while its client is away
-- ARGV: field, session, time the sessions last (ms), holder, "1" if held before
-- Returns 1, or 0 if another node has taken it.
local session = ARGV[2]
if ARGV[5] == '1' then
  local old = redis.call('HGET', KEYS[1], ARGV[1])
  if not old then return 0 end
  session = (string.match(old, '^%d+') or '') .. string.match(session, '\n.*')
end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], session)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZADD', KEYS[2], string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[3]), ARGV[4])
redis.call('DEL', KEYS[3])
return 1
