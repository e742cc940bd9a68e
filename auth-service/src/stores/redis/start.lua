-- A login: makes room by the rules, then adds the session. Answers with what was ended for it.
-- ARGV[3]  the id of the new session
-- ARGV[4]  the session, its sequence left open
-- ARGV[5]  live sessions a user may have
-- ARGV[6]  'all' or 'least_recent': what is ended where there are more
-- ARGV[7]  the reason of such an ending
local id, max_per_user, reason = ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[7])
local started = read_session(id, ARGV[4])
local state = settled()

local function used_before(one, other)
  if one.rotated_at ~= other.rotated_at then return one.rotated_at < other.rotated_at end
  if one.created_at ~= other.created_at then return one.created_at < other.created_at end
  -- Byte by byte: how Lua compares texts depends on Redis's locale.
  for i = 1, 16 do
    local a, b = string.byte(one.id, i), string.byte(other.id, i)
    if a ~= b then return a < b end
  end
  return false
end

local over = #state.live + 1 - max_per_user
local leaving = {}
if over > 0 then
  local by_use = { unpack(state.live) }
  table.sort(by_use, used_before)
  local count = ARGV[6] == 'all' and #by_use or over
  for i = 1, count do leaving[by_use[i].id] = true end
end
local ended = remove(state, reason, function(session) return leaving[session.id] end)

started.sequence = state.last + 1
table.insert(state.live, started)
state.puts['s' .. id] = write_session(started)
commit(state, true)
return named(ended)
