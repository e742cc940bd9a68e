-- A refresh, by steps 3 to 8 of the contract's order. It reads and writes one field, unless a session ends by it.
-- ARGV[3]   the id of the session
-- ARGV[4]   its random value
-- ARGV[5]   the generation of the token presented
-- ARGV[6]   the fingerprint of the request, or nothing
-- ARGV[7]   the idempotency key of the request, or nothing
-- ARGV[8]   the user's credential version, 8 bytes; nothing where the user is gone or disabled
-- ARGV[9]   the address of the request, 4 or 16 bytes
-- ARGV[10]  when the successor expires
-- ARGV[11]  how long after a rotation its spent token is answered without its key
-- ARGV[12]  the reasons of an ending: reuse, credentials changed, user gone or disabled
local id, generation, idempotency_key = ARGV[3], tonumber(ARGV[5]), ARGV[7]
local REUSE_DETECTED, PASSWORD_CHANGED, USER_DISABLED = string.byte(ARGV[12], 1, 3)

-- Only what grows too old ends by itself and leaves a reason; without that rule there is no need to look at the others.
local state, aged, session
if max_lifetime then
  state, aged = settled()
  for _, live in ipairs(state.live) do
    if live.id == id then session = live end
  end
else
  local value = redis.call('HGET', key, 's' .. id)
  session = value and read_session(id, value)
  if session and session.expires_at <= now then session = nil end
end

local function unchanged()
  if state then commit(state, false) else touch() end
end

local function end_it(reason)
  state = state or settled()
  remove(state, reason, function(live) return live.id == id end)
  commit(state, false)
end

-- An address of IPv6 is its /64, as everywhere.
local function network(address)
  return #address == 16 and string.sub(address, 1, 8) or address
end

local function standing(outcome)
  return { outcome, session.generation, session.rotated_at, session.expires_at, session.created_at }
end

if not session then
  unchanged()
  for _, ended in ipairs(aged or {}) do
    if ended.id == id then return { 'ended_now', EXPIRED } end
  end
  local value = redis.call('HGET', key, 'e' .. id)
  local ending = value and read_ending(id, value)
  return { 'ended', ending and ending.keep_until > now and ending.reason or 0 }
end
if session.random ~= ARGV[4] then
  unchanged()
  return { 'forged' }
end
if session.credential_version ~= ARGV[8] then
  local reason = ARGV[8] == '' and USER_DISABLED or PASSWORD_CHANGED
  end_it(reason)
  return { 'ended_now', reason }
end
if session.fingerprint ~= '' and session.fingerprint ~= ARGV[6] then
  unchanged()
  local is_at_home = network(session.ip_address) == network(ARGV[9])
  return { 'fingerprint_mismatch', is_at_home and 1 or 0 }
end
if generation >= session.generation then
  local outcome = generation > session.generation and 'healed' or 'rotated'
  session.generation = generation + 1
  session.rotated_at = now
  session.expires_at = tonumber(ARGV[10])
  session.spent_with = idempotency_key
  session.ip_address = ARGV[9]
  local value = write_session(session)
  if state then
    state.puts['s' .. id] = value
    commit(state, true)
  else
    redis.call('HSET', key, 's' .. id, value)
    -- Never sooner than before: what else is in the hash may be worth keeping for longer.
    local lives = time_to_live(session.expires_at)
    if redis.call('PTTL', key) < tonumber(lives) then redis.call('PEXPIRE', key, lives) end
  end
  return standing(outcome)
end
-- No key never equals no key: a thief has none either.
local has_its_key = session.spent_with ~= '' and session.spent_with == idempotency_key
if generation + 1 == session.generation and (has_its_key or now < session.rotated_at + tonumber(ARGV[11])) then
  unchanged()
  return standing('replayed')
end
end_it(REUSE_DETECTED)
return { 'reused' }
