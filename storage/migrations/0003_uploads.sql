-- Files that users have given, as passages with their vectors.

CREATE TABLE upload (
    number             INTEGER PRIMARY KEY,
    id                 TEXT NOT NULL UNIQUE,
    name               TEXT NOT NULL,
    bytes              INTEGER NOT NULL,
    embedding_provider TEXT NOT NULL,   -- whose vectors these are; empty where there are none
    embedding_model    TEXT NOT NULL,
    kept_at            TEXT NOT NULL
);

CREATE TABLE upload_passage (
    upload INTEGER NOT NULL REFERENCES upload (number) ON DELETE CASCADE,
    place  INTEGER NOT NULL,
    title  TEXT NOT NULL,
    text   TEXT NOT NULL,
    vector BLOB NOT NULL,               -- 32-bit floats, little-endian; empty where there is none
    PRIMARY KEY (upload, place)
);

CREATE INDEX chat_file_used ON chat_file (file_id);
