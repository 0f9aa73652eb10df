-- Accepts one message, after accept.lua.
-- KEYS: lease of the publisher, seq, log, owners
-- ARGV: lease token, base, channel, "1" if sequenced, max length, max age (ms), body,
-- "1" if the room may be a socket
-- Returns what accept does.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('FENCED the lease of the publisher is not this one')
end
return accept(ARGV[2], KEYS[2], KEYS[3], ARGV[8] == '1' and KEYS[4], ARGV[3], ARGV[4] ~= '0', ARGV[5], ARGV[6], ARGV[7])
