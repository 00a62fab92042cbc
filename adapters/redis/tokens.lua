-- Token buckets that a whole fleet shares, each kept as the one moment at which it will be full again (GCRA).
--
-- KEYS  the buckets
-- ARGV  for each bucket 1 the time that one token takes, 2 that of a full bucket, 3 how many tokens are wanted
--
-- Times are microseconds since 1970 by this server's clock, the only one that counts.
-- Answers for each bucket with 1 how many tokens there were and 2 when the next one comes.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer = {}

for i, bucket in ipairs(KEYS) do
  local interval, full, wanted = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local full_at = tonumber(redis.call('GET', bucket)) or now
  -- Neither what makes no sense nor a clock that was set back keeps anybody away for longer than it takes to fill.
  full_at = math.min(math.max(full_at, now), now + full)
  -- What is missing of a token by less than a microsecond is rounding.
  local there = math.floor((now + full - full_at) / interval + math.min(1 / interval, 0.01))
  local granted = math.max(math.min(there, wanted), 0)
  if granted > 0 then
    full_at = full_at + granted * interval
    redis.call('SET', bucket, string.format('%.17g', full_at), 'PX', math.ceil((full_at - now) / 1000))
  end
  answer[2 * i - 1] = granted
  answer[2 * i] = math.max(math.ceil(full_at + interval - now - full), 1)
end

return answer
