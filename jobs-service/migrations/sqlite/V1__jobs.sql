-- The key begins with the owner: a user's jobs lie side by side, newest last, and a page of them is one walk.
CREATE TABLE jobs (
    owner_id    BLOB NOT NULL, -- the `sub` of an access token
    id          BLOB NOT NULL, -- UUID version 7, so in order of creation
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('open', 'in_progress', 'done')),
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    PRIMARY KEY (owner_id, id)
) STRICT, WITHOUT ROWID;
