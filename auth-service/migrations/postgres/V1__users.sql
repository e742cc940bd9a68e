-- Names are compared and ordered byte by byte, as SQLite does, whatever the language of the database.
CREATE TABLE users (
    id                 UUID        NOT NULL PRIMARY KEY,
    username           TEXT        COLLATE "C" NOT NULL UNIQUE, -- lower case
    email              TEXT        NOT NULL,
    email_key          TEXT        COLLATE "C" NOT NULL UNIQUE, -- the address in lower case
    password_hash      TEXT        NOT NULL,                    -- a PHC string
    credential_version BIGINT      NOT NULL DEFAULT 1,
    is_disabled        BOOLEAN     NOT NULL DEFAULT FALSE,
    created_at         TIMESTAMPTZ NOT NULL
);
