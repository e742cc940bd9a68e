CREATE TABLE users (
    id                 BLOB    NOT NULL PRIMARY KEY,
    username           TEXT    NOT NULL UNIQUE, -- lower case
    email              TEXT    NOT NULL,
    email_key          TEXT    NOT NULL UNIQUE, -- the address in lower case
    password_hash      TEXT    NOT NULL,        -- a PHC string
    credential_version INTEGER NOT NULL DEFAULT 1,
    is_disabled        INTEGER NOT NULL DEFAULT FALSE,
    created_at         TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- All sessions of a user in one row, so that each change of them is one step.
CREATE TABLE sessions (
    user_id    BLOB    NOT NULL PRIMARY KEY,
    record     TEXT    NOT NULL, -- JSON
    keep_until INTEGER NOT NULL  -- milliseconds since 1970; then nothing in it is worth keeping
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_keep_until ON sessions (keep_until);

-- Wrong passwords and the like, counted to slow guessing down.
CREATE TABLE attempts (
    bucket     BLOB    NOT NULL PRIMARY KEY,
    record     TEXT    NOT NULL, -- JSON
    keep_until INTEGER NOT NULL  -- milliseconds since 1970
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_by_keep_until ON attempts (keep_until);
