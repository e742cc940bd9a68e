CREATE TABLE users (
    id                 UUID        NOT NULL PRIMARY KEY,
    username           TEXT        NOT NULL UNIQUE, -- lower case
    email              TEXT        NOT NULL,
    email_key          TEXT        NOT NULL UNIQUE, -- the address in lower case
    password_hash      TEXT        NOT NULL,        -- a PHC string
    credential_version BIGINT      NOT NULL DEFAULT 1,
    is_disabled        BOOLEAN     NOT NULL DEFAULT FALSE,
    created_at         TIMESTAMPTZ NOT NULL
);
