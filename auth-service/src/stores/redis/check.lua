-- Whether something could be written here: refused by a replica, and where memory or disk is full. It writes nothing.
redis.call('SETRANGE', KEYS[1], 0, '')
