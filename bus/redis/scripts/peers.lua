-- KEYS: nodes. Returns the nodes whose lease runs.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local all = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', now), '(' .. NEWER)
for _, node in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], string.format('%.0f', now + NEWER), '+inf')) do
  all[#all + 1] = node
end
return all
