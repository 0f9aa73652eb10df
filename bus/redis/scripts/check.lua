-- Tells a node, through its own channel, the last numbers of some channels.
-- KEYS: none that matter but the first, which places the script
-- ARGV: base, node, serial, channels...
local last = {}
for i = 4, #ARGV do
  last[#last + 1] = redis.call('GET', ARGV[1] .. 'last:' .. ARGV[i]) or '0'
end
redis.call(PUBLISH, ARGV[1] .. 'node:' .. ARGV[2],
  '0 0 0 ' .. EPOCH .. '\n\1\5' .. ARGV[3] .. ' ' .. table.concat(last, ' '))
return 1
