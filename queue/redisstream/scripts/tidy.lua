-- Removes consumers that have nothing: one that ends, and those that have not been
-- seen for long.
-- KEYS: stream
-- ARGV: group, the one that ends ('': none), time (ms)
for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  if c[4] == 0 and (c[2] == ARGV[2] or c[6] > tonumber(ARGV[3])) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], c[2])
  end
end
return 1
