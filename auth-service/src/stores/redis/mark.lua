-- Writes something that every replica hears of and that leaves nothing behind, also where memory is full: Redis refuses the first
-- write of a script for that, and deleting is none that it refuses.
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], '')
redis.call('DEL', KEYS[1])
return 1
