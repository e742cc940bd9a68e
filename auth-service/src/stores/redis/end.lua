-- Ends sessions for one reason; where another session asks for it, only if that one is live. Answers with what was ended.
-- ARGV[3]  the reason
-- ARGV[4]  'one', 'proven', 'all' or 'all_but'
-- ARGV[5]  the id of that one session
-- ARGV[6]  the random value that proves it
-- ARGV[7]  the id of the session that asks, or nothing
-- ARGV[8]  the user's credential version, 8 bytes
-- ARGV[9]  the credential version that those go on with that do not end, 8 bytes, or nothing
local which, id, random, asker, credential_version = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local state = settled()

local is_allowed = asker == ''
for _, live in ipairs(state.live) do
  if live.id == asker and live.credential_version == credential_version then is_allowed = true end
end
if not is_allowed then
  commit(state, false)
  return false
end
local ended = remove(state, tonumber(ARGV[3]), function(live)
  if which == 'all' then return true end
  if which == 'all_but' then return live.id ~= id end
  return live.id == id and (which == 'one' or live.random == random)
end)
if ARGV[9] ~= '' then
  for _, live in ipairs(state.live) do
    live.credential_version = ARGV[9]
    state.puts['s' .. live.id] = write_session(live)
  end
end
commit(state, false)
return named(ended)
