-- Takes a session for a node, which holds it from then on: the one of a client that
-- is away, or that of a node which is dead. A node lives while it has its lease and listens to its channel: the
-- kernel closes the connection of a process that is killed, so nobody need wait
-- for the lease to run out.
-- KEYS: the session while its client is away, holders
-- ARGV: field, base, a node to take it from even if it lives, holder, time at
-- which it begins to hold it, time its sessions last (ms)
-- Returns the session and what its owner confirmed; or false and the owner that
-- lives; or nothing.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function hold(session)
  local key = ARGV[2] .. 'sessions:' .. ARGV[4]
  redis.call('HSET', key, ARGV[1], ARGV[5] .. (string.match(session, '\n.*') or ''))
  redis.call('PEXPIRE', key, ARGV[6])
  redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[6]), ARGV[4])
end
local kept = redis.call('GETDEL', KEYS[1])
if kept then
  hold(kept)
  return {kept, ''}
end
local function lives(node, run)
  local lease = node and redis.call('GET', ARGV[2] .. 'lease:' .. node)
  return lease and string.sub(lease, 1, #run + 1) == run .. '.'
    and redis.call('PUBSUB', NUMSUB, ARGV[2] .. 'node:' .. node)[2] > 0
end
for _, holder in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], string.format('%.0f', now), '+inf')) do
  local key = ARGV[2] .. 'sessions:' .. holder
  local session = redis.call('HGET', key, ARGV[1])
  if session then
    local node, run = string.match(holder, '^(.*)%.(%w+)$')
    if node ~= ARGV[3] and lives(node, run) then return {false, node} end
    local confirmed = redis.call('HGET', key, 'confirmed') or ''
    redis.call('HDEL', key, ARGV[1])
    hold(session)
    return {session, confirmed}
  end
end
return {}
