-- How the sessions of one user lie in their hash, and how a step finds and leaves them; put in front of each step's own text.
-- What the steps have to do is written down as `UserSessions` in domain/session.rs, the bytes of a session in record.rs.
-- Redis does not roll back: a step checks everything first and writes last, by `commit`.
--
-- KEYS[1]  the hash: field 's' and an id for a live session, 'e' and an id for a remembered ending
-- ARGV[1]  now; all times are in milliseconds, and Redis's own clock has no say in anything
-- ARGV[2]  how long a session may live at most, or nothing
local key, now, max_lifetime = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])

local VERSION = 1
local SESSION = '>BI4c8c16i8I8i8i8B'
local SESSION_BYTES = 62
local ENDING = '>BI4Bi8'
local ENDING_BYTES = 14
local REMEMBERED_ENDINGS = 16
local EXPIRED = 7
-- The hash outlives what is in it by so much, so that a Redis whose clock is off deletes nothing that is still worth something.
local MARGIN = 24 * 60 * 60 * 1000

local function unreadable(what)
  error('UNREADABLE ' .. what, 0)
end

local function read_session(id, value)
  if #value < SESSION_BYTES or string.byte(value) ~= VERSION then unreadable('session') end
  local session = { id = id }
  local _, flags, at
  _, session.sequence, session.credential_version, session.random, session.created_at, session.generation,
    session.rotated_at, session.expires_at, flags, at = struct.unpack(SESSION, value)
  local function take(count)
    at = at + count
    return string.sub(value, at - count, at - 1)
  end
  if flags > 7 then unreadable('session') end
  session.fingerprint = take(bit.band(flags, 1) ~= 0 and 16 or 0)
  session.spent_with = take(bit.band(flags, 2) ~= 0 and 16 or 0)
  session.ip_address = take(bit.band(flags, 4) ~= 0 and 16 or 4)
  if at > #value + 1 then unreadable('session') end
  session.device_name = string.sub(value, at)
  return session
end

local function write_session(session)
  local flags = (session.fingerprint ~= '' and 1 or 0) + (session.spent_with ~= '' and 2 or 0)
    + (#session.ip_address == 16 and 4 or 0)
  return struct.pack(SESSION, VERSION, session.sequence, session.credential_version, session.random, session.created_at,
    session.generation, session.rotated_at, session.expires_at, flags)
    .. session.fingerprint .. session.spent_with .. session.ip_address .. session.device_name
end

local function read_ending(id, value)
  if #value ~= ENDING_BYTES or string.byte(value) ~= VERSION then unreadable('ending') end
  local _, sequence, reason, keep_until = struct.unpack(ENDING, value)
  return { id = id, sequence = sequence, reason = reason, keep_until = keep_until }
end

-- Asks Redis to write without changing anything: a demoted master must not answer from what it used to know.
local function touch()
  redis.call('HDEL', key, '')
end

local function load()
  local state = { live = {}, ended = {}, last = 0, puts = {}, gone = {} }
  local reply = redis.call('HGETALL', key)
  for i = 1, #reply, 2 do
    local kind, id, value = string.sub(reply[i], 1, 1), string.sub(reply[i], 2), reply[i + 1]
    if #id ~= 16 then unreadable('field') end
    local one, into
    if kind == 's' then
      one, into = read_session(id, value), state.live
    elseif kind == 'e' then
      one, into = read_ending(id, value), state.ended
    else
      unreadable('field')
    end
    table.insert(into, one)
    state.last = math.max(state.last, one.sequence)
  end
  local function in_order(one, other) return one.sequence < other.sequence end
  table.sort(state.live, in_order)
  table.sort(state.ended, in_order)
  return state
end

-- Takes the sessions that are leaving out of the live ones, remembers why, and answers with them.
local function remove(state, reason, is_leaving)
  local leaving, staying = {}, {}
  for _, session in ipairs(state.live) do
    table.insert(is_leaving(session) and leaving or staying, session)
  end
  state.live = staying
  for _, session in ipairs(leaving) do
    state.last = state.last + 1
    table.insert(state.ended, { id = session.id, reason = reason, keep_until = session.expires_at })
    state.gone['s' .. session.id] = true
    state.puts['e' .. session.id] = struct.pack(ENDING, VERSION, state.last, reason, session.expires_at)
  end
  while #state.ended > REMEMBERED_ENDINGS do
    local forgotten = 'e' .. table.remove(state.ended, 1).id
    state.puts[forgotten] = nil
    state.gone[forgotten] = true
  end
  return leaving
end

-- What is stored, without what has expired, and with an end to what has grown too old; and what that was.
local function settled()
  local state = load()
  local function keep(all, prefix, time)
    local kept = {}
    for _, one in ipairs(all) do
      if one[time] > now then table.insert(kept, one) else state.gone[prefix .. one.id] = true end
    end
    return kept
  end
  state.live = keep(state.live, 's', 'expires_at')
  state.ended = keep(state.ended, 'e', 'keep_until')
  local aged = {}
  if max_lifetime then
    aged = remove(state, EXPIRED, function(session) return session.created_at + max_lifetime <= now end)
  end
  return state, aged
end

local function time_to_live(keep_until)
  return string.format('%.0f', math.max(keep_until - now, 0) + MARGIN)
end

-- Writes what has changed. Redis refuses the first write of a script where memory is full, and no later one: a step that needs
-- room writes the new before it deletes the old, and one that ends sessions deletes first, so that it is never refused for that.
local function commit(state, needs_room)
  local puts, gone = {}, {}
  for field, value in pairs(state.puts) do
    table.insert(puts, field)
    table.insert(puts, value)
  end
  for field in pairs(state.gone) do table.insert(gone, field) end
  if #puts == 0 and #gone == 0 then return touch() end
  if #puts > 0 and needs_room then redis.call('HSET', key, unpack(puts)) end
  if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
  if #puts > 0 and not needs_room then redis.call('HSET', key, unpack(puts)) end
  local keep_until = now
  for _, session in ipairs(state.live) do keep_until = math.max(keep_until, session.expires_at) end
  for _, ending in ipairs(state.ended) do keep_until = math.max(keep_until, ending.keep_until) end
  redis.call('PEXPIRE', key, time_to_live(keep_until))
end

-- The id and the name of each of these sessions, one after the other.
local function named(sessions)
  local names = {}
  for _, session in ipairs(sessions) do
    table.insert(names, session.id)
    table.insert(names, session.device_name)
  end
  return names
end

