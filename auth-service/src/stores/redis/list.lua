-- All that is stored of one user, as it lies there.
local reply = redis.call('HGETALL', KEYS[1])
-- A demoted master must not answer from what it used to know: this asks to write and changes nothing.
redis.call('HDEL', KEYS[1], '')
return reply
