-- Attempts to guess, in one bucket, as `Attempts` in domain/attempts.rs says.
-- KEYS[1]  the bucket
-- ARGV[1]  now; all times are in milliseconds, and Redis's own clock has no say in anything
-- ARGV[2]  'attempt', 'attempt_where_known', 'wait', 'take_back' or 'know'
-- ARGV[3]  of an attempt and of a wait: how many need not wait; of knowing: until when
-- ARGV[4]  the first wait, which doubles
-- ARGV[5]  the longest wait
-- ARGV[6]  after how long all is forgotten
local key, now, step = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local VERSION = 1
local ATTEMPTS = '>BI4i8i8i8'
local BYTES = 29
local LARGEST = 4294967295
-- A bucket outlives what is in it by so much, so that a Redis whose clock moves forgets nothing too soon.
local MARGIN = 60 * 1000

local function stored()
  local value = redis.call('GET', key)
  if not value then return nil end
  if #value ~= BYTES or string.byte(value) ~= VERSION then error('UNREADABLE attempts', 0) end
  local _, count, last_at, not_before, keep_until = struct.unpack(ATTEMPTS, value)
  if keep_until <= now then return nil end
  return { count = count, last_at = last_at, not_before = not_before, keep_until = keep_until }
end

local function store(attempts)
  local value = struct.pack(ATTEMPTS, VERSION, attempts.count, attempts.last_at, attempts.not_before, attempts.keep_until)
  redis.call('SET', key, value, 'PX', string.format('%.0f', math.max(attempts.keep_until - now, 0) + MARGIN))
end

if step == 'know' then
  store({ count = 0, last_at = now, not_before = now, keep_until = tonumber(ARGV[3]) })
  return 0
end

local attempts = stored()
if step == 'take_back' then
  if attempts then
    attempts.count = math.max(attempts.count - 1, 0)
    attempts.not_before = now
    store(attempts)
  end
  return 0
end

if not attempts then
  if step == 'attempt_where_known' then return false end
  attempts = { count = 0, last_at = now, not_before = now, keep_until = now }
end
local free, first_delay, longest_delay, forget_after =
  tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if attempts.last_at + forget_after <= now then
  attempts.count, attempts.last_at, attempts.not_before = 0, now, now
end
-- Those that need not wait may come in another order than their times, from clocks that differ a little.
local wait = attempts.count < free and 0 or attempts.not_before - now
if step == 'wait' then return math.max(wait, 0) end
if wait <= 0 then
  attempts.count = math.min(attempts.count + 1, LARGEST)
  attempts.last_at = now
  local doublings = attempts.count - free
  local delay = doublings < 0 and 0 or math.min(first_delay * 2 ^ math.min(doublings, 31), longest_delay)
  attempts.not_before = now + delay
  attempts.keep_until = math.max(attempts.keep_until, now + forget_after)
end
store(attempts)
return math.max(wait, 0)
