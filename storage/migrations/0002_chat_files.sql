-- Which files the questions of a chat were asked with.

CREATE TABLE chat_file (
    number  INTEGER PRIMARY KEY,   -- the order in which they came
    chat    INTEGER NOT NULL REFERENCES chat (number) ON DELETE CASCADE,
    file_id TEXT NOT NULL,
    name    TEXT NOT NULL,
    UNIQUE (chat, file_id)
);

CREATE INDEX chat_newest ON chat (created_at, number);
