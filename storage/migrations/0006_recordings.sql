-- What the newest turns were given by the world outside, to be played again.

CREATE TABLE recording (
    turn INTEGER PRIMARY KEY REFERENCES turn (number) ON DELETE CASCADE,
    data BLOB NOT NULL   -- packed by zlib
);
