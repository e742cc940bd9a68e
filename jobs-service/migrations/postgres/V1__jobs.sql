-- The key begins with the owner: a page of a user's jobs is one walk along the index.
CREATE TABLE jobs (
    owner_id    UUID        NOT NULL, -- the `sub` of an access token
    id          UUID        NOT NULL, -- version 7, so in order of creation
    title       TEXT        NOT NULL,
    description TEXT        NOT NULL,
    status      TEXT        NOT NULL CHECK (status IN ('open', 'in_progress', 'done')),
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (owner_id, id)
);
