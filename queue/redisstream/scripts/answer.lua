-- KEYS: answer
-- ARGV: answer, how long it stays (ms)
-- Returns 1 if this is the first.
return answer(KEYS[1], ARGV[1], ARGV[2])
