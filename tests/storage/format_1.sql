CREATE TABLE log (
        revision INTEGER PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
        previous INTEGER NOT NULL, deleted INTEGER NOT NULL, checksum INTEGER NOT NULL, value BLOB NOT NULL
    );
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('compacted', 0);
INSERT INTO meta VALUES ('swept', 0);
INSERT INTO log VALUES (1, '/configmaps', 'default/a', 1, 0, 0, 2566936982, CAST('{"n":1}' AS BLOB));
INSERT INTO log VALUES (2, '/configmaps', 'default/ｂ', 2, 0, 0, 3383185594, CAST('{"n":2}' AS BLOB));
INSERT INTO log VALUES (3, '/configmaps', 'default/a', 1, 1, 0, 3043295041, CAST('{"n":3}' AS BLOB));
INSERT INTO log VALUES (4, '/secrets', 'default/c', 4, 0, 0, 1456761001, CAST('{}' AS BLOB));
INSERT INTO log VALUES (5, '/secrets', 'default/c', 4, 4, 1, 2737002819, CAST('{}' AS BLOB));
