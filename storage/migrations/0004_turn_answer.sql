-- A turn is found by the answer it makes, and knows how far a client can have followed it.

ALTER TABLE turn ADD COLUMN survived INTEGER NOT NULL DEFAULT 0;   -- number of its last event

UPDATE turn SET survived = coalesce((SELECT max(seq) FROM entry WHERE entry.turn = turn.number), 0)
WHERE state <> 'running';

CREATE INDEX turn_answer ON turn (answer_id);
