-- One circuit breaker that a whole fleet shares. This is `domain/breaker.py` once more; a change there is a change here.
--
-- KEYS  1 state (hash), 2 window (hash: "<bucket>:calls" and so on), 3 permits (sorted set: id by the end of its lease),
--       4 operations (hash: "<operation>:<outcome>", counts for ever), 5 transitions (list: JSON, the latest)
-- ARGV  1 what to do, 2 the policy and 3 what it is done with, both JSON
--
-- Times are milliseconds since 1970 by this server's clock, the only one that counts.

local STATE, WINDOW, PERMITS, OPERATIONS, TRANSITIONS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local policy, asked = cjson.decode(ARGV[2]), cjson.decode(ARGV[3])

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local now = clock()
local b = {}       -- the breaker
local moves = {}   -- the transitions on the way

local NUMBERS = {'epoch', 'since', 'open_until', 'probes_succeeded', 'failed_probes', 'last_failure_at', 'override_until',
  'commanded_at', 'commanded_until'}
local TEXTS = {'state', 'cause', 'override', 'override_actor', 'override_reason', 'commanded', 'commanded_actor',
  'commanded_reason'}

local function load()
  local stored = redis.call('HGETALL', STATE)
  for i = 1, #stored, 2 do b[stored[i]] = stored[i + 1] end
  for _, name in ipairs(NUMBERS) do b[name] = tonumber(b[name]) end
  -- What makes no sense, or is missing, must not keep anybody away for ever.
  if b.state ~= 'open' and b.state ~= 'half_open' then b.state = 'closed' end
  if b.state == 'open' and not b.override then b.open_until = b.open_until or 0 end
  for _, name in ipairs({'epoch', 'since', 'probes_succeeded', 'failed_probes'}) do b[name] = b[name] or 0 end
end

local function put(name, value)
  b[name] = value
  if value == nil then redis.call('HDEL', STATE, name) else redis.call('HSET', STATE, name, value) end
end

-- The window --------------------------------------------------------------------------------------------------------

local function instance_of(permit) return permit:match('^(.*)/') end

local function bucket_of(at) return math.floor(at * policy.buckets / policy.window) end

local function count(permit, failed, slow)
  local bucket = bucket_of(now)
  redis.call('HINCRBY', WINDOW, bucket .. ':calls', 1)
  for what, counts in pairs({failed = failed, slow = slow}) do
    if counts then
      redis.call('HINCRBY', WINDOW, bucket .. ':' .. what, 1)
      redis.call('HINCRBY', WINDOW, bucket .. ':by:' .. what .. ':' .. instance_of(permit), 1)
    end
  end
  redis.call('PEXPIRE', WINDOW, policy.window * 2)
  if failed then put('last_failure_at', now) end
end

-- Return what the window held at an instant, and forget what is too old by then.
local function tally(at)
  local found = {calls = 0, failed = 0, slow = 0, failed_by = {}, slow_by = {}}
  local oldest = bucket_of(at) - policy.buckets
  local stored = redis.call('HGETALL', WINDOW)
  for i = 1, #stored, 2 do
    local bucket, what = stored[i]:match('^(%d+):(.*)$')
    if tonumber(bucket) < oldest then
      redis.call('HDEL', WINDOW, stored[i])
    elseif found[what] then
      found[what] = found[what] + tonumber(stored[i + 1])
    else
      local kind, instance = what:match('^by:(%a+):(.*)$')
      local by = kind and found[kind .. '_by']
      if by then by[instance] = (by[instance] or 0) + tonumber(stored[i + 1]) end
    end
  end
  return found
end

-- Permits -----------------------------------------------------------------------------------------------------------

local function is_slow(deadline) return now - (deadline - policy.lease) > policy.slow end

local function overdue(at)
  return redis.call('ZRANGEBYSCORE', PERMITS, '-inf', '(' .. string.format('%.0f', at + policy.lease - policy.slow))
end

-- A permit that settles what was begun before ends in a plus sign.
local function is_settling(permit) return permit:sub(-1) == '+' end

local function settling()
  local found = 0
  for _, permit in ipairs(redis.call('ZRANGE', PERMITS, 0, -1)) do
    if is_settling(permit) then found = found + 1 end
  end
  return found
end

local function quota_left()
  local probes = redis.call('ZCARD', PERMITS) - settling()
  return math.max(policy.half_open_quota - probes - b.probes_succeeded, 0)
end

-- What opens it, and for how long -----------------------------------------------------------------------------------

-- How many of these calls count: of each instance as many as of the quorum-th worst, at most.
local function heard(counts)
  local worst, sum = {}, 0
  for _, count in pairs(counts) do table.insert(worst, count) end
  if #worst < policy.quorum then return 0 end
  table.sort(worst, function(a, b) return a > b end)
  for _, count in ipairs(worst) do sum = sum + math.min(count, worst[policy.quorum]) end
  return sum
end

local function trigger()
  local w, late = tally(now), overdue(now)
  for _, permit in ipairs(late) do
    local instance = instance_of(permit)
    w.slow_by[instance] = (w.slow_by[instance] or 0) + 1
  end
  local failed = heard(w.failed_by)
  local calls = w.calls - w.failed + failed
  if failed >= policy.failure_threshold and calls < policy.rate_from then return 'failures' end
  if calls >= policy.minimum_calls and failed >= policy.failure_rate * calls then return 'failure_rate' end
  local slow = heard(w.slow_by)
  calls = w.calls - w.slow + slow
  if calls >= policy.minimum_calls and slow >= policy.slow_rate * calls then return 'slow_calls' end
  return nil
end

local function open_for()
  local plain = policy.open * policy.open_multiplier ^ math.min(b.failed_probes, 64)
  return math.floor(math.min(plain * (1 + policy.open_jitter * asked.chance), policy.open_cap) + 0.5)
end

-- Moving ------------------------------------------------------------------------------------------------------------

local function override(action, actor, reason, expires_at)
  put('override', action)
  put('override_actor', actor)
  put('override_reason', reason)
  put('override_until', expires_at)
end

local function enter(state, cause, at, open_until, actor, reason)
  local w = tally(at)
  local move = {
    before = b.state, after = state, cause = cause, at = at, epoch = b.epoch + 1,
    failures = w.failed, calls = w.calls, slow = w.slow + #overdue(at), actor = actor, reason = reason,
  }
  table.insert(moves, move)
  redis.call('RPUSH', TRANSITIONS, cjson.encode(move))
  redis.call('LTRIM', TRANSITIONS, -policy.recent, -1)
  put('state', state)
  put('cause', cause)
  put('epoch', b.epoch + 1)
  put('since', at)
  put('open_until', open_until)
  put('probes_succeeded', 0)
  redis.call('DEL', PERMITS)
end

local function reopen(cause, at) enter('open', cause, at, at + open_for()) end

local function fail_probe()
  put('failed_probes', b.failed_probes + 1)
  reopen('probe_failed', now)
end

local function trip()
  if b.state ~= 'closed' or b.override then return end
  local cause = trigger()
  if not cause then return end
  if b.since + policy.stable <= now then
    put('failed_probes', 0)
  elseif b.cause == 'probes_succeeded' then
    -- The probes said that it was well, and it was not.
    put('failed_probes', b.failed_probes + 1)
  end
  reopen(cause, now)
end

-- What is due by time alone -----------------------------------------------------------------------------------------

local function expire_override()
  local at = b.override_until
  if not at or at > now then return end
  local state = b.override == 'open' and 'open' or 'closed'
  override(nil, nil, nil, nil)
  enter(state, 'override_expired', at, state == 'open' and at or nil)
end

local function lose_permits()
  local lost = redis.call('ZRANGEBYSCORE', PERMITS, '-inf', string.format('%.0f', now))
  if #lost == 0 then return end
  redis.call('ZREMRANGEBYSCORE', PERMITS, '-inf', string.format('%.0f', now))
  if policy.lost == 'ignored' or b.override == 'close' then return end
  for _, permit in ipairs(lost) do count(permit, true, false) end
  if b.state == 'half_open' then fail_probe() else trip() end
end

local function settle()
  expire_override()
  lose_permits()
  local limit = b.since + policy.half_open_limit
  if b.state == 'half_open' and limit <= now then reopen('no_verdict', limit) end
  if #overdue(now) > 0 then trip() end
end

-- What may be asked -------------------------------------------------------------------------------------------------

local function refusal()
  if b.state == 'closed' then return nil end
  if b.state == 'open' and b.override then
    return {refused = 'manual', retry_after = b.open_until and b.open_until - now}
  end
  if b.state == 'open' and b.open_until > now then return {refused = 'open', retry_after = b.open_until - now} end
  if b.state == 'half_open' and is_settling(asked.permit) then
    if policy.half_open_reserve > settling() then return nil end
  elseif b.state == 'half_open' and asked.probe and quota_left() > 0 then
    return nil
  end
  local first = redis.call('ZRANGE', PERMITS, 0, 0, 'WITHSCORES')
  return {refused = 'half_open', retry_after = first[2] and tonumber(first[2]) - now or policy.lease}
end

local function acquire()
  local is_due = b.state == 'open' and b.open_until and b.open_until <= now
  if asked.probe and is_due then enter('half_open', 'probe_due', now) end
  local refused = refusal()
  if refused then
    redis.call('HINCRBY', OPERATIONS, asked.operation .. ':refused', 1)
    return refused
  end
  redis.call('ZADD', PERMITS, now + policy.lease, asked.permit)
  redis.call('PEXPIRE', PERMITS, policy.lease * 2)
  return {epoch = b.epoch}
end

local function record()
  local deadline = redis.call('ZSCORE', PERMITS, asked.permit)
  if not deadline or asked.epoch ~= b.epoch then return {} end
  redis.call('ZREM', PERMITS, asked.permit)
  redis.call('HINCRBY', OPERATIONS, asked.operation .. ':' .. asked.outcome, 1)
  if asked.outcome == 'ignored' or b.override == 'close' then return {} end
  local failed, slow = asked.outcome == 'failed', is_slow(tonumber(deadline))
  count(asked.permit, failed, slow)
  if b.state == 'closed' then
    trip()
  elseif failed or slow then
    fail_probe()
  elseif is_settling(asked.permit) then
    return {}
  elseif b.probes_succeeded + 1 >= policy.success_threshold then
    enter('closed', 'probes_succeeded', now)
    redis.call('DEL', WINDOW)
  else
    put('probes_succeeded', b.probes_succeeded + 1)
  end
  return {}
end

-- Keep the last command, whether it still holds or not.
local function note(at, expires_at)
  put('commanded', asked.action)
  put('commanded_actor', asked.actor)
  put('commanded_reason', asked.reason)
  put('commanded_at', at)
  put('commanded_until', expires_at)
end

local function obey(action, cause, expires_at)
  local opens = action == 'open'
  local keeps_window = opens or (action == 'observe' and b.state == 'closed')
  if action == 'reset' then
    put('failed_probes', 0)
    override(nil, nil, nil, nil)
  else
    override(action, asked.actor, asked.reason, expires_at)
  end
  enter(opens and 'open' or 'closed', cause, now, opens and expires_at or nil, asked.actor, asked.reason)
  if not keeps_window then redis.call('DEL', WINDOW) end
end

local function control()
  -- Nobody waits for it any more, and whoever gave it was told so.
  if asked.deadline and asked.deadline <= now then return {expired = true} end
  local expires_at = asked.duration and now + asked.duration
  note(math.max(now, (b.commanded_at or 0) + 1), expires_at)
  obey(asked.action, 'manual', expires_at)
  return {}
end

-- Do once more what was lost here, unless something was wanted later.
local function restore()
  if b.commanded_at and b.commanded_at >= asked.at then return {} end
  note(asked.at, asked.expires_at)
  local holds = asked.action ~= 'reset' and not (asked.expires_at and asked.expires_at <= now)
  if holds or b.override then obey(holds and asked.action or 'reset', 'restored', asked.expires_at) end
  return {}
end

-- Have it probed if it was not closed in an epoch that was lost here.
local function suspect()
  if b.state ~= 'closed' or b.override or b.epoch >= asked.epoch then return {} end
  put('epoch', asked.epoch)
  enter('open', 'suspected', now, now)
  return {}
end

local function look()
  local w, operations = tally(now), redis.call('HGETALL', OPERATIONS)
  local found = {
    now = now,
    failures = w.failed, successes = w.calls - w.failed, slow = w.slow,
    under_way = redis.call('ZCARD', PERMITS),
    half_open_quota = b.state == 'half_open' and quota_left() or policy.half_open_quota,
    would_open = b.state == 'closed' and trigger() or nil,
    operations = operations,
    recent = redis.call('LRANGE', TRANSITIONS, 0, -1),
  }
  for _, names in ipairs({NUMBERS, TEXTS}) do
    for _, name in ipairs(names) do found[name] = b[name] end
  end
  return found
end

load()
settle()
local todo = {acquire = acquire, record = record, control = control, restore = restore, suspect = suspect, look = look}
local answer = todo[ARGV[1]]()
return cjson.encode({answer = answer, moves = moves})
