-- Chats with their messages, the turns that answer questions, and each turn's journal.

CREATE TABLE chat (
    number     INTEGER PRIMARY KEY,   -- the newest chat has the highest
    id         TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL,
    created_at TEXT NOT NULL,
    focus_mode TEXT NOT NULL
);

CREATE TABLE message (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    chat       INTEGER NOT NULL REFERENCES chat (number) ON DELETE CASCADE,
    question   INTEGER REFERENCES message (id) ON DELETE CASCADE,   -- set in answers only
    message_id TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    content    TEXT NOT NULL,
    metadata   TEXT NOT NULL
);

-- A message id names one question in each chat; other chats may use it too.
CREATE UNIQUE INDEX message_asked ON message (chat, message_id) WHERE role = 'user';
-- The order of reading: questions as they were asked, each followed by its answer.
CREATE INDEX message_reading ON message (chat, coalesce(question, id), id);
CREATE INDEX message_question ON message (question);

CREATE TABLE turn (
    number             INTEGER PRIMARY KEY,
    id                 TEXT NOT NULL UNIQUE,
    question           INTEGER NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    owner              INTEGER NOT NULL,   -- the slot of the process that runs it
    state              TEXT NOT NULL
        CHECK (state IN ('running', 'finished', 'failed', 'stopped', 'interrupted')),
    session_id         TEXT NOT NULL,
    answer_id          TEXT NOT NULL,
    asked              TEXT NOT NULL,      -- a question asked anew may read otherwise than its row
    focus_mode         TEXT NOT NULL,
    optimization_mode  TEXT NOT NULL,
    files              TEXT NOT NULL,
    chat_provider      TEXT NOT NULL,
    chat_model         TEXT NOT NULL,
    embedding_provider TEXT NOT NULL,
    embedding_model    TEXT NOT NULL,
    accepted_at        TEXT NOT NULL,
    ended_at           TEXT
);

CREATE INDEX turn_question ON turn (question);
CREATE INDEX turn_running ON turn (owner) WHERE state = 'running';

CREATE TABLE entry (
    turn  INTEGER NOT NULL REFERENCES turn (number) ON DELETE CASCADE,
    seq   INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (turn, seq)
) WITHOUT ROWID;
