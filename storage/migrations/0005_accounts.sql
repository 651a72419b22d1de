-- Accounts, what they prove themselves with, and whose each chat and upload is.

CREATE TABLE account (
    number      INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,   -- in small letters
    role        TEXT NOT NULL CHECK (role IN ('admin', 'user')),
    password    TEXT NOT NULL,          -- hashed by argon2id
    is_disabled INTEGER NOT NULL DEFAULT 0,
    created_at  TEXT NOT NULL
);

-- Logins of browsers and keys of programs. Only digests are kept: the secrets are random and long.
CREATE TABLE credential (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,    -- to name it by
    kind       TEXT NOT NULL CHECK (kind IN ('login', 'key')),
    digest     TEXT NOT NULL UNIQUE,
    account    INTEGER NOT NULL REFERENCES account (number) ON DELETE CASCADE,
    label      TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL            -- empty for never
);

CREATE INDEX credential_account ON credential (account, kind, number);

-- The name of an account, or what a proxy calls its user; empty where there were no accounts.
ALTER TABLE chat ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE upload ADD COLUMN owner TEXT NOT NULL DEFAULT '';

CREATE INDEX chat_owner ON chat (owner, created_at, number);
