-- Reads a part of the log.
-- KEYS: seq, log
-- ARGV: first number, count (0: only where the log stands)
-- Returns the id of the last message and the entries.
local seq = redis.call('GET', KEYS[1]) or '0-0'
if ARGV[2] == '0' then return {seq, {}} end
return {seq, redis.call('XRANGE', KEYS[2], ARGV[1], '+', 'COUNT', ARGV[2])}
