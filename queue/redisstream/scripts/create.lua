-- KEYS: stream
-- ARGV: groups
for _, group in ipairs(ARGV) do
  local failed = create(KEYS[1], group)
  if failed then return failed end
end
return 1
