// SPDX-License-Identifier: Apache-2.0
// Every SQL statement that runs more than once, by name.
#ifndef WASL_STORE_SQLITE_STATEMENTS_H
#define WASL_STORE_SQLITE_STATEMENTS_H

#define STREAM_COLUMNS                                                                             \
    "number, origin, lane, device, location, own, since, starts_run, head_seq, head_hash,"         \
    " held_seq, held_hash, settled_seq, settled_hash, certificate"
// What the bytes of an event are made of (text.h), of events AS e beside streams AS s.
#define TEXT_COLUMNS "e.id, s.origin, s.lane, e.seq, s.location, e.rest"
#define EVENT_COLUMNS                                                                              \
    "e.lsn, e.chain, e.state, s.since + e.received,"                                               \
    " CASE WHEN e.synced <> -2147483648 THEN s.since + e.synced ELSE 0 END, " TEXT_COLUMNS
// Sums wrap around like the machine's, so that they depend on no order; SQLite would turn an
// overflow into a float.
#define WRAPPED_SUM(a, b)                                                                          \
    "CASE WHEN typeof(" a " + " b ") = 'integer' THEN " a " + " b " WHEN " b " > 0 THEN"           \
    " (" a " - 9223372036854775807 - 1) + (" b " - 9223372036854775807 - 1) ELSE"                  \
    " (" a " + 9223372036854775807 + 1) + (" b " + 9223372036854775807 + 1) END"
// The upper and the lower half of each number summed apart, since SQLite's sum() fails when it
// passes 64 bits: no ticket may keep the totals from being told.
#define SPLIT_SUM(a) "coalesce(sum(" a " >> 32), 0), coalesce(sum(" a " & 4294967295), 0)"
// The row of a SKU is nearly always there: an update costs half of what an upsert does.
#define STOCK_MOVE_SQL                                                                             \
    "UPDATE stock SET quantity = " WRAPPED_SUM(                                                    \
        "quantity", "?3") ", moves = moves + ?4, local_version = local_version + 1"                \
                          " WHERE location = ?1 AND sku = ?2"

// The order of a reservation h: nothing is kept for it any more.
#define ORDER_OVER_SQL                                                                             \
    "SELECT 1 FROM order_heads AS o WHERE o.location = h.location AND o.id = h.order_id"           \
    " AND o.status IN ('paid', 'refunded', 'voided')"

// Lines of bills that were completed, and from which version of the catalog they say they are.
#define PRICED_ORDERS                                                                              \
    "SELECT o.location, 'order', o.id, b.completed_by, l.sku, l.catalog, l.unit_price, "           \
    "coalesce(o.currency, ''), l.overridden_by IS NOT NULL FROM order_bills AS b JOIN "            \
    "order_heads AS o ON o.location = b.location AND o.id = b.order_id JOIN order_lines AS l "     \
    "ON l.location = b.location AND l.order_id = b.order_id AND l.bill = b.bill WHERE "            \
    "b.completed_by IS NOT NULL AND l.sku IS NOT NULL AND l.quantity > 0 AND l.catalog IS NOT "    \
    "NULL AND "

// X(name, sql)
#define DB_STATEMENTS(X)                                                                           \
    X(TABLE_EXISTS, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")               \
    X(INDEXES_BROKEN, "SELECT told.integrity_check FROM (SELECT DISTINCT tbl_name FROM"            \
                      " sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"                    \
                      " AND tbl_name <> ?) AS indexed,"                                            \
                      " pragma_integrity_check(indexed.tbl_name) AS told"                          \
                      " WHERE told.integrity_check <> 'ok' LIMIT 1")                               \
    X(VERSION, "SELECT max(version) FROM schema_version")                                          \
    X(VERSION_ADD, "INSERT INTO schema_version (version, name, applied_at) VALUES (?, ?, ?)")      \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(DATA_VERSION, "PRAGMA data_version")                                                         \
    X(PAGE_COUNT, "PRAGMA page_count")                                                             \
    X(FREE_PAGES, "PRAGMA freelist_count")                                                         \
    X(PAGE_SIZE, "PRAGMA page_size")                                                               \
    X(META_GET, "SELECT value FROM meta WHERE name = ?")                                           \
    X(META_SET, "INSERT INTO meta (name, value) VALUES (?, ?)"                                     \
                " ON CONFLICT DO UPDATE SET value = excluded.value")                               \
    /* streams */                                                                                  \
    X(STREAM_FIND, "SELECT " STREAM_COLUMNS " FROM streams WHERE origin = ? AND lane = ?")         \
    X(DEVICE_HEADS, "SELECT origin, lane, settled_seq, settled_hash FROM streams WHERE device = ?" \
                    " AND settled_seq > 0 ORDER BY number")                                        \
    X(STREAM_DEVICE, "SELECT device FROM streams WHERE origin = ? AND lane = ?")                   \
    X(STREAMS_OF, "SELECT number, origin, lane FROM streams WHERE device = ? ORDER BY number")     \
    X(STREAMS_ALL, "SELECT " STREAM_COLUMNS " FROM streams WHERE number > ? ORDER BY number"       \
                   " LIMIT 256")                                                                   \
    X(STREAM_WITNESS, "SELECT " STREAM_COLUMNS " FROM streams AS s WHERE own > 0"                  \
                      " AND settled_seq > 0 AND NOT EXISTS (SELECT 1 FROM ended AS n"              \
                      " WHERE n.origin = s.origin AND n.lane = s.lane)"                            \
                      " ORDER BY acked_at DESC, number DESC LIMIT 1")                              \
    X(LAST_RECEIVED, "SELECT s.since + e.received FROM events AS e JOIN streams AS s"              \
                     " ON s.number = e.stream ORDER BY e.lsn DESC LIMIT 1")                        \
    X(STREAMS_SEALED, "SELECT " STREAM_COLUMNS ", seal_seq, seal_hash, seal_signature,"            \
                      " (SELECT seq FROM includes AS i WHERE i.origin = s.origin"                  \
                      " AND i.lane = s.lane) FROM streams AS s")                                   \
    X(STREAMS_UNSETTLED, "SELECT " STREAM_COLUMNS " FROM streams"                                  \
                         " WHERE own > 0 AND settled_seq < head_seq ORDER BY number LIMIT ?")      \
    X(STREAMS_UNSETTLED_LATE, "SELECT " STREAM_COLUMNS " FROM streams WHERE own > 0"               \
                              " AND (settled_seq < head_seq OR number IN (SELECT stream FROM"      \
                              " late)) ORDER BY number LIMIT ?")                                   \
    X(STREAMS_LATE, "SELECT DISTINCT s.origin, s.lane, s.head_seq, s.head_hash FROM late AS l"     \
                    " JOIN streams AS s ON s.number = l.stream")                                   \
    X(STREAM_ADD,                                                                                  \
      "INSERT INTO streams (origin, lane, device, location, own, since, starts_run,"               \
      " head_seq, head_hash, held_seq, held_hash, settled_seq, settled_hash, acked_at,"            \
      " certificate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)")                        \
    X(STREAM_MOVE, "UPDATE streams SET head_seq = ?, head_hash = ?, held_seq = ?, held_hash = ?,"  \
                   " settled_seq = ?, settled_hash = ?, starts_run = ? WHERE number = ?")          \
    X(STREAM_ACKED, "UPDATE streams SET acked_at = ? WHERE number = ?")                            \
    X(STREAM_NAMED, "SELECT min(seq) FROM run_heads WHERE origin = ? AND lane = ?")                \
    X(SEAL_PUT, "UPDATE streams SET seal_seq = ?, seal_hash = ?, seal_signature = ?"               \
                " WHERE origin = ? AND lane = ? AND seal_seq <= ?")                                \
    X(SEAL_KEEP, "INSERT INTO carried_seals (stream, seq, signature) VALUES (?, ?, ?)"             \
                 " ON CONFLICT DO NOTHING")                                                        \
    X(SEAL_UPTO, "SELECT seq, signature FROM carried_seals WHERE stream = ? AND seq <= ?"          \
                 " ORDER BY seq DESC LIMIT 1")                                                     \
    X(SEAL_BEHIND, "SELECT seq, signature FROM carried_seals WHERE stream = ? AND seq > ?"         \
                   " ORDER BY seq LIMIT 1")                                                        \
    X(EXTENT_ADD, "INSERT INTO extents (stream, seq, lsn) VALUES (?, ?, ?)")                       \
    X(EXTENT_FIND, "SELECT seq, lsn FROM extents WHERE stream = ? AND seq <= ?"                    \
                   " ORDER BY seq DESC LIMIT 1")                                                   \
    X(EXTENT_LAST, "SELECT seq, chain FROM events WHERE lsn BETWEEN ? AND ? AND stream = ?"        \
                   " ORDER BY lsn DESC LIMIT 1")                                                   \
    X(EXTENT_NEXT, "SELECT seq FROM extents WHERE stream = ? AND seq > ? ORDER BY seq LIMIT 1")    \
    X(EXTENTS_COUNT, "SELECT count(*) FROM extents")                                               \
    X(CHAIN_AT, "SELECT chain FROM events WHERE lsn = ? AND stream = ? AND seq = ?")               \
    X(ROWS_MOVE, "UPDATE events SET state = ?1, synced = CASE WHEN synced = -2147483648 THEN ?2"   \
                 " ELSE synced END WHERE lsn BETWEEN ?3 AND ?4 AND stream = ?5 AND state < 3"      \
                 " AND state <> ?1")                                                               \
    X(TICKETS_MOVE, "UPDATE tickets SET state = ?1 WHERE lsn BETWEEN ?2 AND ?3 AND state < 3"      \
                    " AND (SELECT stream FROM events WHERE lsn = tickets.lsn) = ?4")               \
    /* journal */                                                                                  \
    X(LAST_LSN, "SELECT max(lsn) FROM events")                                                     \
    X(EVENT_ADD, "INSERT INTO events (lsn, id, stream, seq, state, received, synced, chain, rest)" \
                 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")                                            \
    X(EVENT_STATE_SET, "UPDATE events SET state = ? WHERE lsn = ?")                                \
    X(EVENT_ID_SET, "UPDATE events SET id = ? WHERE lsn = ?")                                      \
    X(EVENT_PLACE, "SELECT s.origin, s.lane, e.seq, e.state FROM events AS e"                      \
                   " JOIN streams AS s ON s.number = e.stream WHERE e.lsn = ?")                    \
    /* folded records */                                                                           \
    X(RECORD_FIND, "SELECT number FROM records WHERE location = ? AND type = ? AND id = ?")        \
    X(RECORD_ADD, "INSERT INTO records (location, type, id) VALUES (?, ?, ?)")                     \
    X(RECORD_EVENT_ADD, "INSERT INTO record_events (record, lsn) VALUES (?, ?)"                    \
                        " ON CONFLICT DO NOTHING")                                                 \
    X(RECORD_EVENT_DROP, "DELETE FROM record_events WHERE record = ? AND lsn = ?")                 \
    X(RECORD_EVENT_COUNT, "SELECT count(*) FROM record_events WHERE record = ?")                   \
    X(RECORD_EVENTS, "SELECT lsn, rank FROM record_events WHERE record = ? ORDER BY lsn")          \
    X(RECORD_EVENT_RANK, "UPDATE record_events SET rank = ? WHERE record = ? AND lsn = ?")         \
    X(RECORD_PAST_ADD, "INSERT INTO record_past (record, lsn) VALUES (?, ?)")                      \
    X(RECORD_PAST_DROP, "DELETE FROM record_past WHERE record = ?")                                \
    X(RECORD_PAST_CUT, "DELETE FROM record_past WHERE record = ? AND lsn IN (SELECT lsn FROM"      \
                       " record_events WHERE record = ?1)")                                        \
    X(RECORD_PAST_BACK, "INSERT INTO record_events (record, lsn) SELECT record, lsn FROM"          \
                        " record_past WHERE record = ? ORDER BY abs(lsn) DESC LIMIT ?")            \
    X(RECORD_RANKS_DROP, "UPDATE record_events SET rank = 0 WHERE record = ? AND rank <> 0")       \
    X(RECORD_PAST_FORGET, "DELETE FROM record_past WHERE lsn = ?4 AND record = (SELECT number"     \
                          " FROM records WHERE location = ?1 AND type = ?2 AND id = ?3)")          \
    X(RECORD_PAST_DROP_ONE, "DELETE FROM record_past WHERE record = ? AND lsn = ?")                \
    X(RECORD_PAST_OLD,                                                                             \
      "SELECT 1 FROM records AS r JOIN record_past AS p ON p.record = r.number AND p.lsn = ?4"     \
      " JOIN events AS e ON e.lsn = p.lsn JOIN streams AS s ON s.number = e.stream"                \
      " WHERE r.location = ?1 AND r.type = ?2 AND r.id = ?3 AND s.since + e.received < ?5")        \
    X(RECORD_PAST_TOLD,                                                                            \
      "SELECT r.number, p.lsn FROM records AS r JOIN record_past AS p ON p.record = r.number"      \
      " AND p.lsn = (SELECT lsn FROM record_past WHERE record = r.number AND lsn < 0"              \
      " ORDER BY lsn DESC LIMIT 1) JOIN told_events AS t ON t.number = -p.lsn"                     \
      " WHERE r.number BETWEEN ? AND ? AND json_extract(t.bytes, '$.hlc') < ? LIMIT 1")            \
    X(RECORDS_WALK,                                                                                \
      "SELECT r.number, r.location, r.type, r.id, m.lsn, t.bytes, " TEXT_COLUMNS                   \
      " FROM records AS r LEFT JOIN record_events AS m ON m.record = r.number"                     \
      " LEFT JOIN told_events AS t ON m.lsn < 0 AND t.number = -m.lsn"                             \
      " LEFT JOIN events AS e ON e.lsn = m.lsn LEFT JOIN streams AS s ON s.number = e.stream"      \
      " UNION ALL SELECT r.number, r.location, r.type, r.id, m.lsn, t.bytes, " TEXT_COLUMNS        \
      " FROM record_past AS m JOIN records AS r ON r.number = m.record"                            \
      " LEFT JOIN told_events AS t ON m.lsn < 0 AND t.number = -m.lsn"                             \
      " LEFT JOIN events AS e ON e.lsn = m.lsn LEFT JOIN streams AS s ON s.number = e.stream"      \
      " ORDER BY 1, 5")                                                                            \
    X(TOLD_BYTES, "SELECT bytes FROM told_events WHERE number = ?")                                \
    X(TOLD_FIND, "SELECT number, bytes FROM told_events WHERE id = ? AND location = ?")            \
    X(TOLD_ADD, "INSERT INTO told_events (location, id, generation, bytes) VALUES (?, ?, ?, ?)")   \
    X(TOLD_KEEP, "UPDATE told_events SET generation = max(generation, ?) WHERE number = ?")        \
    X(TOLD_REPLACE, "UPDATE told_events SET generation = max(generation, ?), bytes = ?"            \
                    " WHERE number = ?")                                                           \
    X(TOLD_DROP, "DELETE FROM told_events WHERE number = ?")                                       \
    X(TOLD_STALE, "SELECT number, bytes FROM told_events WHERE location = ? AND generation < ?"    \
                  " AND number > ? ORDER BY number LIMIT 1")                                       \
    X(TOLD_OLDER, "SELECT t.number, t.bytes FROM records AS r JOIN record_events AS m"             \
                  " ON m.record = r.number JOIN told_events AS t ON t.number = -m.lsn"             \
                  " WHERE r.location = ? AND r.type = ? AND r.id = ? AND m.lsn < 0"                \
                  " AND t.generation < ? AND t.number > ? ORDER BY t.number LIMIT 1")              \
    X(TOLD_NEXT, "SELECT number, bytes FROM told_events WHERE number > ? ORDER BY number LIMIT 1") \
    X(FEED_FILL_EVENTS,                                                                            \
      "SELECT " TEXT_COLUMNS " FROM records AS r JOIN record_events AS m ON m.record = r.number"   \
      " JOIN events AS e ON e.lsn = m.lsn JOIN streams AS s ON s.number = e.stream"                \
      " WHERE r.location = ?1 AND e.state <= 2 AND (r.type <> 'order' OR EXISTS (SELECT 1"         \
      " FROM order_heads AS o WHERE o.location = ?1 AND o.id = r.id"                               \
      " AND o.status IN ('draft', 'fired')) OR EXISTS (SELECT 1 FROM record_reviews AS w"          \
      " WHERE w.location = ?1 AND w.record = r.id AND w.type = 'order' AND w.open = 1))"           \
      " ORDER BY e.lsn")                                                                           \
    X(FEED_FILL_CHAIN,                                                                             \
      "SELECT " TEXT_COLUMNS " FROM records AS r JOIN record_events AS m ON m.record = r.number"   \
      " JOIN events AS e ON e.lsn = m.lsn JOIN streams AS s ON s.number = e.stream"                \
      " WHERE r.location = '*' AND (s.lane = 2) = ?"                                               \
      " AND r.type NOT IN ('item', 'price', 'tax', 'promotion', 'recipe') ORDER BY e.lsn")         \
    X(SETTING, "SELECT value FROM settings WHERE location = ? AND id = ?")                         \
    X(USERS_ANY, "SELECT 1 FROM users LIMIT 1")                                                    \
    X(USERS_SINCE, "SELECT 1 FROM users WHERE since <= ? LIMIT 1")                                 \
    X(USER, "SELECT u.role, u.active, u.changed_hlc, u.changed_in,"                                \
            " EXISTS (SELECT 1 FROM user_places AS p WHERE p.location = u.location"                \
            " AND p.id = u.id AND p.place IN ('*', ?)) FROM users AS u"                            \
            " WHERE u.location = '*' AND u.id = ?")                                                \
    X(ROLE, "SELECT given, changed_hlc, changed_in FROM roles WHERE location = '*' AND id = ?")    \
    X(ROLE_RIGHTS, "SELECT granted FROM role_rights WHERE location = '*' AND id = ?")              \
    X(EVENT_BYTES, "SELECT " TEXT_COLUMNS " FROM events AS e LEFT JOIN streams AS s"               \
                   " ON s.number = e.stream WHERE e.lsn = ?")                                      \
    X(EVENT_ID_STATE, "SELECT id, state FROM events WHERE lsn = ?")                                \
    X(EVENTS_RANGE, "SELECT " EVENT_COLUMNS " FROM events AS e JOIN streams AS s"                  \
                    " ON s.number = e.stream WHERE e.lsn BETWEEN ? AND ? AND e.stream = ?"         \
                    " ORDER BY e.lsn")                                                             \
    X(EVENTS_AFTER, "SELECT " EVENT_COLUMNS " FROM events AS e JOIN streams AS s"                  \
                    " ON s.number = e.stream WHERE e.lsn > ? ORDER BY e.lsn LIMIT ?")              \
    X(EVENT_AT, "SELECT " EVENT_COLUMNS " FROM events AS e JOIN streams AS s"                      \
                " ON s.number = e.stream WHERE e.lsn = ?")                                         \
    X(EVENTS_ALL, "SELECT lsn, id, stream, seq, state, chain, rest FROM events ORDER BY lsn")      \
    X(APART_ALL, "SELECT stream, seq, lsn FROM events INDEXED BY events_apart WHERE state > 2")    \
    X(EVENTS_SPAN, "SELECT (SELECT min(lsn) FROM events), (SELECT max(lsn) FROM events),"          \
                   " (SELECT coalesce(max(number), 0) FROM streams)")                              \
    X(CHAIN_BLOCK, "SELECT lsn, id, stream, seq, chain, rest FROM events WHERE lsn BETWEEN ?"      \
                   " AND ? ORDER BY lsn")                                                          \
    X(OLDEST_PENDING, "SELECT since + received FROM events JOIN streams ON number = stream"        \
                      " WHERE lsn = ?")                                                            \
    /* ids */                                                                                      \
    X(ID_ADD, "INSERT INTO event_ids (key, lsn) VALUES (?, ?) ON CONFLICT DO NOTHING")             \
    X(ID_ADD_MANY,                                                                                 \
      "INSERT INTO event_ids (key, lsn) VALUES (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?),"    \
      " (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?)"            \
      " ON CONFLICT DO NOTHING")                                                                   \
    X(IDS_ALL, "SELECT i.key, i.lsn, coalesce(e.id, p.id) FROM event_ids AS i LEFT JOIN events"    \
               " AS e ON e.lsn = i.lsn LEFT JOIN past AS p ON p.lsn = i.lsn")                      \
    X(IDS_BARE, "SELECT key, lsn FROM event_ids ORDER BY key")                                     \
    X(IDS_FURTHER, "SELECT coalesce(e.id, p.id) FROM event_ids AS i LEFT JOIN events AS e"         \
                   " ON e.lsn = i.lsn LEFT JOIN past AS p ON p.lsn = i.lsn WHERE i.key <= ?")      \
    X(ID_OF_ROW, "SELECT coalesce((SELECT id FROM events WHERE lsn = ?1),"                         \
                 " (SELECT id FROM past WHERE lsn = ?1))")                                         \
    X(CLAIMED, "SELECT location, record FROM claims WHERE kind = ?")                               \
    X(ID_FIND, "SELECT lsn FROM event_ids WHERE key = ?")                                          \
    X(ID_LAST, "SELECT max(key) FROM event_ids")                                                   \
    X(IDS_BEHIND, "SELECT lsn, id FROM events WHERE lsn > ? AND id IS NOT NULL ORDER BY lsn")      \
    X(IDS_UNTIL, "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'ids_until'")               \
    X(IDS_UNTIL_SET, "UPDATE meta SET value = ? WHERE name = 'ids_until'")                         \
    /* what was pruned */                                                                          \
    X(BASE_FIND, "SELECT seq, hash, past, signature FROM bases WHERE stream = ?")                  \
    X(BASE_PUT, "INSERT INTO bases (stream, seq, hash, past, signature) VALUES (?, ?, ?, ?, ?)"    \
                " ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash,"             \
                " past = excluded.past, signature = excluded.signature")                           \
    X(BASES_ALL, "SELECT seq, hash, past, signature, stream FROM bases ORDER BY stream")           \
    X(PAST_ADD, "INSERT INTO past (lsn, stream, id, content, counts) VALUES (?, ?, ?, ?, ?)")      \
    X(PAST_FIND, "SELECT id, content, counts FROM past WHERE lsn = ?")                             \
    X(PAST_ALL, "SELECT p.lsn, p.stream, p.id, p.content, p.counts, e.lsn FROM past AS p"          \
                " LEFT JOIN events AS e ON e.lsn = p.lsn ORDER BY p.lsn")                          \
    X(PRUNE_NEXT,                                                                                  \
      "SELECT number, s.origin, s.lane, since, coalesce(b.seq, 0),"                                \
      " min(settled_seq, head_seq - 1, CASE WHEN coalesce(i.seq, 0) >= n.seq THEN head_seq"        \
      " ELSE coalesce(i.seq, 0) END) AS upto FROM streams AS s LEFT JOIN bases AS b"               \
      " ON b.stream = s.number LEFT JOIN includes AS i ON i.origin = s.origin"                     \
      " AND i.lane = s.lane LEFT JOIN ended AS n ON n.origin = s.origin AND n.lane = s.lane"       \
      " WHERE own = 1 AND number >= ? AND upto > coalesce(b.seq, 0)"                               \
      " ORDER BY number LIMIT 1")                                                                  \
    X(PRUNE_ROWS, "SELECT lsn, received, state, synced, chain, EXISTS (SELECT 1 FROM"              \
                  " tickets AS t JOIN claims AS c ON c.location = t.location AND c.record = t.id"  \
                  " WHERE t.lsn = e.lsn), " TEXT_COLUMNS " FROM events AS e JOIN streams AS s"     \
                  " ON s.number = e.stream WHERE lsn BETWEEN ? AND ? AND stream = ? ORDER BY lsn") \
    X(PRUNE_EVENTS, "DELETE FROM events WHERE lsn BETWEEN ? AND ?")                                \
    X(PRUNE_TICKETS, "DELETE FROM tickets WHERE lsn BETWEEN ? AND ?")                              \
    X(PRUNE_LINES, "DELETE FROM ticket_lines WHERE ticket BETWEEN ? AND ?")                        \
    X(PRUNE_PAYMENTS, "DELETE FROM ticket_payments WHERE ticket BETWEEN ? AND ?")                  \
    X(PRUNE_RUNS, "DELETE FROM runs WHERE lsn BETWEEN ? AND ?")                                    \
    X(PRUNE_HEADS, "DELETE FROM run_heads WHERE lsn BETWEEN ? AND ?")                              \
    X(PRUNE_WITHDRAWN, "DELETE FROM withdrawn WHERE lsn BETWEEN ? AND ?")                          \
    X(RECORD_OF_EVENT, "SELECT r.number FROM records AS r JOIN record_events AS m"                 \
                       " ON m.record = r.number WHERE r.location = ? AND r.type = ?"               \
                       " AND r.id = ? AND m.lsn = ?")                                              \
    X(TOLD_KEEP_OWN, "INSERT INTO told_events (location, id, generation, bytes)"                   \
                     " VALUES (?, ?, 9223372036854775807, ?) ON CONFLICT DO UPDATE SET"            \
                     " generation = excluded.generation RETURNING number")                         \
    X(RECORD_NAME, "SELECT location, type, id FROM records WHERE number = ?")                      \
    X(RECORD_YOUNG, "SELECT 1 FROM record_events AS m LEFT JOIN told_events AS t"                  \
                    " ON t.number = -m.lsn WHERE m.record = ? AND (m.lsn > 0"                      \
                    " OR json_extract(t.bytes, '$.hlc') >= ?) LIMIT 1")                            \
    X(RECORD_ASKED, "SELECT 1 FROM record_reviews WHERE location = ? AND record = ? AND type = ?"  \
                    " AND open = 1 LIMIT 1")                                                       \
    X(REVIEW_TEXT, "INSERT INTO review_texts (kind, text) VALUES (?, ?)"                           \
                   " ON CONFLICT DO UPDATE SET text = excluded.text WHERE text <> excluded.text")  \
    X(META_DROP, "DELETE FROM meta WHERE name = ?")                                                \
    X(ORDER_OPEN, "SELECT 1 FROM order_heads WHERE location = ? AND id = ?"                        \
                  " AND status IN ('draft', 'fired') AND merged_into IS NULL")                     \
    X(RESERVATION_OPEN, "SELECT 1 FROM reservation_heads WHERE location = ? AND id = ?"            \
                        " AND state IN ('pending', 'confirmed')")                                  \
    X(RESERVATIONS_KEPT,                                                                           \
      "SELECT sum(h.quantity) FROM reservation_heads AS h WHERE h.location = ? AND h.sku = ?"      \
      " AND h.state = 'confirmed' AND h.until_at > ? AND NOT EXISTS (" ORDER_OVER_SQL ")")         \
    X(RESERVATION_OVER, "SELECT 1 FROM reservation_heads AS h WHERE h.location = ? AND h.id = ?"   \
                        " AND (h.state = 'released' OR EXISTS (" ORDER_OVER_SQL "))")              \
    X(RESERVATION_UNHEARD,                                                                         \
      "SELECT h.location, h.id, h.request FROM reservation_heads AS h WHERE h.state = 'pending'"   \
      " AND NOT EXISTS (SELECT 1 FROM judgements AS j WHERE j.location = h.location"               \
      " AND j.target = h.request) LIMIT 1")                                                        \
    X(SHIFT_OPEN, "SELECT 1 FROM shift_heads WHERE location = ? AND id = ? AND state <> 'closed'") \
    X(UNMET_OPEN, "SELECT 1 FROM unmet_cards WHERE location = ? AND id = ? AND 0")                 \
    X(TOLD_DROP_RECORD, "DELETE FROM told_events WHERE number IN (SELECT -lsn FROM record_events"  \
                        " WHERE record = ?1 AND lsn < 0 UNION ALL SELECT -lsn FROM record_past"    \
                        " WHERE record = ?1 AND lsn < 0)")                                         \
    X(RECORD_EVENTS_DROP, "DELETE FROM record_events WHERE record = ?")                            \
    X(RECORD_DROP, "DELETE FROM records WHERE number = ?")                                         \
    X(RECORD_TOLD_ONLY, "SELECT number FROM records WHERE number BETWEEN ? AND ?"                  \
                        " AND NOT EXISTS (SELECT 1 FROM record_events WHERE record = number"       \
                        " AND lsn > 0) ORDER BY number LIMIT 1")                                   \
    X(RECORD_LAST, "SELECT max(number) FROM records")                                              \
    X(PRUNE_EXTENTS, "DELETE FROM extents WHERE stream = ? AND seq <= ?")                          \
    /* dead letters and notices */                                                                 \
    X(DEAD_ADD, "INSERT INTO dead (lsn, reason, since, given) VALUES (?, ?, ?, ?)"                 \
                " ON CONFLICT DO UPDATE SET reason = excluded.reason, given = excluded.given")     \
    X(DEAD_REMOVE, "DELETE FROM dead WHERE lsn = ?")                                               \
    X(DEAD_GIVEN, "SELECT reason FROM dead WHERE lsn = ? AND given = 1")                           \
    X(DEAD_NEXT, "SELECT lsn FROM dead WHERE lsn > ? AND given = 0 ORDER BY lsn LIMIT 1")          \
    X(DEAD_COUNT, "SELECT count(*) FROM dead")                                                     \
    X(DEAD_LIST, "SELECT lsn, id, type, location, reason, since FROM dead_letters ORDER BY lsn"    \
                 " LIMIT ?")                                                                       \
    X(NOTICE_SET,                                                                                  \
      "INSERT INTO notices (lsn, state, own, generation) VALUES (?, ?, ?, ?) ON CONFLICT DO "      \
      "UPDATE SET state = excluded.state, generation = excluded.generation")                       \
    X(TICKET_STATE_SET, "UPDATE tickets SET state = ? WHERE lsn = ?")                              \
    X(NOTICE_DROP, "DELETE FROM notices WHERE lsn = ?")                                            \
    X(NOTICE_FIND, "SELECT state, own FROM notices WHERE lsn = ?")                                 \
    X(NOTICES_STALE, "SELECT lsn FROM notices WHERE generation < ?")                               \
    /* appended again */                                                                           \
    X(WITHDRAW, "INSERT INTO withdrawn (lsn) VALUES (?) ON CONFLICT DO NOTHING")                   \
    X(WITHDRAWN_ALL, "SELECT lsn FROM withdrawn")                                                  \
    X(NOTICE_MOVE, "UPDATE notices SET lsn = ? WHERE lsn = ? RETURNING state")                     \
    X(DEAD_MOVE, "UPDATE dead SET lsn = ? WHERE lsn = ?")                                          \
    X(NOTICES_DISPUTE, "INSERT INTO notices (lsn, state) SELECT lsn, 3 FROM events WHERE lsn "     \
                       "BETWEEN ? AND ? AND stream = ? AND state < 3")                             \
    X(ROWS_DISPUTE,                                                                                \
      "UPDATE events SET state = 3 WHERE lsn BETWEEN ? AND ? AND stream = ? AND state < 3")        \
    X(TICKETS_DISPUTE, "UPDATE tickets SET state = 3 WHERE lsn BETWEEN ? AND ? AND state < 3 AND " \
                       "(SELECT stream FROM events WHERE lsn = tickets.lsn) = ?")                  \
    X(END_SET, "INSERT INTO ended (origin, lane, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")    \
    X(END_GET, "SELECT seq FROM ended WHERE origin = ? AND lane = ?")                              \
    /* tickets */                                                                                  \
    X(TICKET_ADD, "INSERT INTO tickets (lsn, location, id, event_id, kind, number, till,"          \
                  " customer, currency, places, total, at, line_count, shift, state,"              \
                  " local_version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)"        \
                  " ON CONFLICT DO NOTHING")                                                       \
    X(TICKETS_ALL, "SELECT lsn, location, id, event_id, kind, number, till, customer, currency,"   \
                   " places, total, at, line_count, shift FROM tickets ORDER BY lsn")              \
    X(LINES_ALL, "SELECT ticket, number, sku, name, quantity, unit_price, amount, catalog"         \
                 " FROM ticket_lines ORDER BY ticket, number")                                     \
    X(PAYMENTS_ALL, "SELECT ticket, number, method, currency, amount FROM ticket_payments"         \
                    " ORDER BY ticket, number")                                                    \
    X(TICKET_HOLDER, "SELECT lsn, event_id FROM tickets WHERE location = ? AND id = ?")            \
    X(TICKET_DROP, "DELETE FROM tickets WHERE lsn = ?")                                            \
    X(LINE_ADD, "INSERT INTO ticket_lines (ticket, number, sku, name, quantity, unit_price,"       \
                " amount, catalog) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")                               \
    X(LINES_DROP, "DELETE FROM ticket_lines WHERE ticket = ?")                                     \
    X(PAYMENT_ADD, "INSERT INTO ticket_payments (ticket, number, method, currency, amount)"        \
                   " VALUES (?, ?, ?, ?, ?)")                                                      \
    X(PAYMENTS_DROP, "DELETE FROM ticket_payments WHERE ticket = ?")                               \
    /* stock */                                                                                    \
    X(STOCK_MOVE, STOCK_MOVE_SQL)                                                                  \
    X(STOCK_MOVE_TOLD, STOCK_MOVE_SQL " RETURNING quantity")                                       \
    X(STOCK_ADD, "INSERT INTO stock (location, sku, quantity, moves, confirmed)"                   \
                 " VALUES (?, ?, ?, ?, ?)")                                                        \
    X(STOCK_DROP_EMPTY, "DELETE FROM stock WHERE location = ? AND sku = ? AND moves = 0"           \
                        " AND confirmed IS NULL")                                                  \
    X(STOCK_OF, "SELECT sku, quantity FROM stock WHERE location = ? ORDER BY sku")                 \
    X(STOCK_EACH, "SELECT location, sku, quantity FROM stock WHERE (?1 = '' OR location = ?1)"     \
                  " AND (?2 = '' OR sku = ?2) ORDER BY location, sku")                             \
    X(STOCK_EACH_AT, "SELECT location, sku, quantity FROM stock WHERE location = ?1"               \
                     " AND (?2 = '' OR sku = ?2) ORDER BY location, sku")                          \
    X(STOCK_FED, "INSERT INTO stock (location, sku, quantity, confirmed, generation)"              \
                 " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET quantity = ?3,"           \
                 " confirmed = ?4, generation = ?5, local_version = local_version + 1")            \
    X(STOCK_ONE, "SELECT quantity FROM stock WHERE location = ? AND sku = ?")                      \
    X(STREAMS_BEHIND,                                                                              \
      "SELECT origin, lane, device FROM streams AS s INDEXED BY streams_location"                  \
      " WHERE location = ? AND lane = 0 AND (SELECT x.lsn + max(s.head_seq, x.seq) - x.seq FROM"   \
      " extents AS x WHERE x.stream = s.number ORDER BY x.seq DESC LIMIT 1) > ? ORDER BY number")  \
    X(EXTENT_UPTO, "SELECT seq, lsn, (SELECT min(n.seq) FROM extents AS n WHERE n.stream ="        \
                   " x.stream AND n.seq > x.seq) FROM extents AS x WHERE stream = ? AND lsn <= ?"  \
                   " ORDER BY seq DESC LIMIT 1")                                                   \
    X(COUNTED_NEWEST, "SELECT max(hlc) FROM counted WHERE location = ?")                           \
    X(COUNTED_FIND, "SELECT event, record_id, device, hlc, origin, lane, seq, shown FROM counted"  \
                    " WHERE location = ? AND sku = ?")                                             \
    X(COUNTED_PUT, "INSERT INTO counted (location, sku, event, record_id, device, hlc, origin,"    \
                   " lane, seq, shown) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO"       \
                   " UPDATE SET event = excluded.event, record_id = excluded.record_id,"           \
                   " device = excluded.device, hlc = excluded.hlc, origin = excluded.origin,"      \
                   " lane = excluded.lane, seq = excluded.seq, shown = excluded.shown"             \
                   " WHERE excluded.hlc > hlc")                                                    \
    X(STOCK_STALE, "SELECT sku FROM stock WHERE location = ? AND generation < ?"                   \
                   " AND confirmed IS NOT NULL")                                                   \
    X(STOCK_REFRESH, "INSERT INTO stock (location, sku, quantity, confirmed) VALUES (?1, ?2, ?3,"  \
                     " 0) ON CONFLICT DO UPDATE SET quantity = " WRAPPED_SUM(                      \
                         "ifnull(confirmed, 0)", "?3") ", local_version = local_version + 1")      \
    X(KEPT_PUT, "INSERT OR IGNORE INTO kept_stock VALUES (?, ?) RETURNING 1")                      \
    X(OVERSELL, "SELECT 1 FROM settings WHERE id >= 'oversell' AND id < 'oversell0' AND value "    \
                "IS NOT NULL LIMIT 1")                                                             \
    X(KEPT, "SELECT 1 FROM kept_stock WHERE location = ? AND sku = ?")                             \
    /* judgements */                                                                               \
    X(JUDGEMENT_ADD, "INSERT INTO judgements (location, target, lsn, outcome, reason, term,"       \
                     " answer, batch, hlc, origin, lane, seq, id)"                                 \
                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                            \
    X(JUDGEMENT_DROP, "DELETE FROM judgements WHERE location = ? AND target = ? AND lsn = ?")      \
    X(JUDGED, "SELECT 1 FROM judgements WHERE location = ? AND target = ?")                        \
    X(JUDGEMENTS_HELD, "SELECT j.target FROM judgements AS j WHERE j.location = ?1"                \
                       " AND j.batch = ?2 AND j.outcome = 'held' AND NOT EXISTS (SELECT 1 FROM"    \
                       " judgements AS a WHERE a.location = ?1 AND a.target = j.target"            \
                       " AND a.answer IS NOT NULL) LIMIT ?3")                                      \
    X(JUDGEMENTS_OF, "SELECT outcome, term, answer, hlc, origin, lane, seq, id FROM judgements"    \
                     " WHERE location = ? AND target = ?")                                         \
    /* places and devices */                                                                       \
    X(LOCATION_HOLDER, "SELECT lsn FROM locations WHERE id = ?")                                   \
    X(LOCATION_PUT, "INSERT INTO locations (id, name, region, lsn) VALUES (?, ?, ?, ?)"            \
                    " ON CONFLICT DO UPDATE SET name = excluded.name, region = excluded.region,"   \
                    " lsn = excluded.lsn, local_version = local_version + 1")                      \
    X(LOCATION_FED, "INSERT INTO locations (id, name, region, generation) VALUES (?, ?, ?, ?)"     \
                    " ON CONFLICT DO UPDATE SET name = excluded.name, region = excluded.region,"   \
                    " generation = excluded.generation, local_version = local_version + 1")        \
    X(LOCATION_DROP, "DELETE FROM locations WHERE id = ?")                                         \
    X(LOCATIONS_STALE, "DELETE FROM locations WHERE generation < ? AND lsn IS NULL")               \
    X(LOCATIONS_ALL, "SELECT id, name, region FROM locations ORDER BY id")                         \
    X(DEVICE_FIND, "SELECT id, location, role, key, revoked, lsn FROM devices WHERE id = ?")       \
    X(DEVICE_PUT, "INSERT INTO devices (id, location, role, name, key, lsn)"                       \
                  " VALUES (?, ?, ?, ?, ?, ?)"                                                     \
                  " ON CONFLICT DO UPDATE SET location = excluded.location, role = excluded.role," \
                  " name = excluded.name, key = excluded.key, lsn = excluded.lsn,"                 \
                  " local_version = local_version + 1")                                            \
    X(DEVICE_DROP, "DELETE FROM devices WHERE id = ?")                                             \
    X(DEVICE_REVOKED, "UPDATE devices SET revoked = EXISTS (SELECT 1 FROM claims WHERE kind = 4"   \
                      " AND location = '' AND record = ?2), local_version = local_version + 1"     \
                      " WHERE id = ?1 RETURNING location, revoked")                                \
    X(DEVICE_FED, "INSERT INTO devices (id, location, role, name, key, revoked)"                   \
                  " VALUES (?, ?, ?, NULL, ?, ?) ON CONFLICT DO UPDATE SET"                        \
                  " location = excluded.location, role = excluded.role, key = excluded.key,"       \
                  " revoked = excluded.revoked, local_version = local_version + 1")                \
    X(DEVICES_OF, "SELECT id, location, role, key, revoked, lsn FROM devices WHERE location = ?")  \
    X(CLAIM_ADD, "INSERT INTO claims (kind, location, record, rank, lsn) VALUES (?, ?, ?, ?, ?)"   \
                 " ON CONFLICT DO NOTHING")                                                        \
    X(CLAIM_DROP, "DELETE FROM claims WHERE kind = ? AND location = ? AND record = ?"              \
                  " AND rank = ?")                                                                 \
    X(CLAIM_FIRST, "SELECT lsn FROM claims WHERE kind = ? AND location = ? AND record = ?"         \
                   " ORDER BY rank LIMIT 1")                                                       \
    X(CLAIM_LAST, "SELECT lsn FROM claims WHERE kind = ? AND location = ? AND record = ?"          \
                  " ORDER BY rank DESC LIMIT 1")                                                   \
    X(CLAIM_IDS, "SELECT e.id FROM claims AS c JOIN events AS e ON e.lsn = c.lsn WHERE c.kind = ?" \
                 " AND c.location = ? AND c.record = ? ORDER BY c.rank LIMIT 100")                 \
    X(RUN_ADD, "INSERT INTO runs (origin, device, location, predecessor, lsn)"                     \
               " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")                                   \
    X(RUN_DROP, "DELETE FROM runs WHERE origin = ? AND lsn = ?")                                   \
    X(RUN_BEFORE, "SELECT r.predecessor, (SELECT max(h.seq) FROM run_heads AS h"                   \
                  " WHERE h.origin = r.predecessor AND h.lane = 0) FROM runs AS r"                 \
                  " WHERE r.origin = ? AND r.predecessor IS NOT NULL")                             \
    X(RUN_TWINS, "SELECT count(*) FROM runs WHERE predecessor = ? AND device = ?"                  \
                 " AND location = ?")                                                              \
    X(HEAD_ADD, "INSERT INTO run_heads (origin, lane, seq, hash, lsn) VALUES (?, ?, ?, ?, ?)"      \
                " ON CONFLICT DO NOTHING")                                                         \
    X(HEADS_DROP, "DELETE FROM run_heads WHERE origin = ? AND lane = ? AND seq = ? AND lsn = ?")   \
    X(STREAM_WENT_ON,                                                                              \
      "SELECT EXISTS (SELECT 1 FROM run_heads WHERE origin = ?1 AND lane = ?2 AND seq < ?3)"       \
      " OR EXISTS (SELECT 1 FROM run_heads WHERE origin = ?1 AND lane = ?2 AND seq = ?3"           \
      " AND hash <> ?4)")                                                                          \
    X(REVOCATION_ADD, "INSERT INTO revocations (device, lsn, revocation, part, parts, accepts)"    \
                      " VALUES (?, ?, ?, ?, ?, ?)")                                                \
    X(REVOCATION_DROP, "DELETE FROM revocations WHERE device = ? AND lsn = ?")                     \
    X(REVOKED_DEVICES, "SELECT DISTINCT device FROM revocations ORDER BY device")                  \
    X(REVOKED_HEAD_ADD, "INSERT INTO revoked_heads (lsn, origin, lane, seq) VALUES (?, ?, ?, ?)"   \
                        " ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)")                 \
    X(REVOKED_HEADS_DROP, "DELETE FROM revoked_heads WHERE lsn = ?")                               \
    X(REVOKED_COUNTS_TO,                                                                           \
      "SELECT min(seq) FROM (SELECT max(coalesce(h.seq, 0)) AS seq FROM revocations AS r"          \
      " LEFT JOIN revoked_heads AS h ON h.lsn = r.lsn AND h.origin = ?2 AND h.lane = ?3"           \
      " WHERE r.device = ?1 AND r.accepts = 0 GROUP BY r.revocation"                               \
      " HAVING count(DISTINCT r.part) = max(r.parts))")                                            \
    X(ACCEPTED_TO, "SELECT max(h.seq) FROM revocations AS r JOIN revoked_heads AS h"               \
                   " ON h.lsn = r.lsn AND h.origin = ?2 AND h.lane = ?3"                           \
                   " WHERE r.device = ?1 AND r.accepts = 1")                                       \
    X(WITHHELD_ADD, "INSERT INTO withheld (device, events) VALUES (?, ?) ON CONFLICT DO UPDATE"    \
                    " SET events = events + excluded.events RETURNING events")                     \
    X(WITHHELD_FIND, "SELECT events FROM withheld WHERE device = ?")                               \
    X(WITHHELD_DROP, "DELETE FROM withheld WHERE device = ?")                                      \
    X(CODE_PUT, "INSERT INTO codes (secret, location, role, expires_at) VALUES (?, ?, ?, ?)")      \
    X(CODE_FIND, "SELECT location, role, expires_at FROM codes WHERE secret = ?")                  \
    X(CODE_DROP, "DELETE FROM codes WHERE secret = ?")                                             \
    X(TOKEN_PUT, "INSERT INTO tokens (token, name, role, created_at) VALUES (?, ?, ?, ?)")         \
    X(TOKEN_FIND, "SELECT name, role FROM tokens WHERE token = ?")                                 \
    X(DEVICE_STATUS_DROP, "DELETE FROM device_status WHERE device = ?")                            \
    X(DEVICES_OFFLINE, "UPDATE device_status SET online = 0 WHERE online = 1")                     \
    X(DEVICE_STATUS_PUT,                                                                           \
      "INSERT INTO device_status (device, location, pending, oldest_pending_at, last_seen_at,"     \
      " last_sync_at, clock_offset_ms, disk_free_bytes, version, online, catalog_version,"         \
      " catalog_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"       \
      " location = excluded.location, pending = excluded.pending,"                                 \
      " oldest_pending_at = excluded.oldest_pending_at, last_seen_at = excluded.last_seen_at,"     \
      " last_sync_at = max(last_sync_at, excluded.last_sync_at),"                                  \
      " clock_offset_ms = excluded.clock_offset_ms,"                                               \
      " disk_free_bytes = excluded.disk_free_bytes, version = excluded.version,"                   \
      " online = excluded.online, catalog_version = excluded.catalog_version,"                     \
      " catalog_hash = excluded.catalog_hash")                                                     \
    /* people */                                                                                   \
    X(REVIEW_OPEN, "INSERT INTO reviews (kind, location, record, text, detail, opened_at, open)"   \
                   " VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET open = 1,"             \
                   " text = excluded.text, detail = excluded.detail,"                              \
                   " opened_at = excluded.opened_at WHERE open = 0")                               \
    X(REVIEW_TELL, "UPDATE reviews SET detail = ? WHERE kind = ? AND location = ? AND record = ?") \
    X(REVIEW_DROP, "DELETE FROM reviews WHERE kind = ? AND location = ? AND record = ?"            \
                   " AND open = 1")                                                                \
    X(REVIEW_FIND, "SELECT number, kind, record, location, text, detail, opened_at, open"          \
                   " FROM reviews WHERE number = ?")                                               \
    X(REVIEW_LIST, "SELECT number, kind, record, location, text, detail, opened_at, open"          \
                   " FROM reviews WHERE open = 1 OR ?1 = 0 ORDER BY number LIMIT ?2")              \
    X(REVIEW_COUNT,                                                                                \
      "SELECT count(*), coalesce(sum(kind IN ('id_conflict', 'ticket_conflict')), 0)"              \
      " FROM reviews WHERE open = 1")                                                              \
    X(QUARANTINE_PUT, "INSERT INTO quarantine (origin, lane, seq, reason, at, bytes)"              \
                      " VALUES (?, ?, ?, ?, ?, ?)")                                                \
    X(QUARANTINE_TRIM, "DELETE FROM quarantine WHERE number <="                                    \
                       " (SELECT max(number) FROM quarantine) - ?")                                \
    /* feeds, upstream side */                                                                     \
    X(FEED_FIND, "SELECT number, id, head, head_hash FROM feeds WHERE location = ?")               \
    X(FEED_ADD, "INSERT INTO feeds (location, id, head, head_hash) VALUES (?, ?, 0, ?)")           \
    X(FEED_RENEW, "UPDATE feeds SET id = ? WHERE number = (SELECT min(number) FROM feeds"          \
                  " WHERE number > ?) RETURNING number")                                           \
    X(FEED_MOVE, "UPDATE feeds SET head = ?, head_hash = ? WHERE number = ?")                      \
    X(FEEDS_ALL, "SELECT location FROM feeds ORDER BY location")                                   \
    X(FEED_ANY, "SELECT 1 FROM feeds LIMIT 1")                                                     \
    X(FEED_LIVE, "SELECT position FROM feed_rows WHERE feed = ? AND type = ? AND id = ?"           \
                 " AND bytes IS NOT NULL")                                                         \
    X(FEED_BURY, "UPDATE feed_rows SET bytes = NULL WHERE feed = ? AND position = ?")              \
    X(FEED_DROP, "DELETE FROM feed_rows WHERE feed = ? AND position = ?")                          \
    X(FEED_ROW_ADD, "INSERT INTO feed_rows (feed, position, type, id, hash, bytes, lsn)"           \
                    " VALUES (?, ?, ?, ?, ?, ?, (SELECT max(lsn) FROM events))")                   \
    X(FEED_TRIM, "DELETE FROM feed_rows WHERE feed = ? AND position > ? AND position <= ?"         \
                 " AND bytes IS NULL AND type <> 'catalog_version'")                               \
    X(FEED_TRIMMED, "SELECT number, trimmed FROM feeds WHERE location = ?")                        \
    X(FEED_PARTIAL, "UPDATE feeds SET trimmed = 1 WHERE location = ?1 AND substr(?1, 1, 1) <> '*'" \
                    " AND EXISTS (SELECT 1 FROM records WHERE location = ?1)")                     \
    X(FEED_TRIMMED_SET, "UPDATE feeds SET trimmed = max(trimmed, ?) WHERE number = ?")             \
    X(READER_FIND, "SELECT position, copied FROM feed_readers WHERE device = ? AND feed = ?")      \
    X(READER_PUT, "INSERT INTO feed_readers (device, feed, position, copied) VALUES (?, ?, ?, ?)"  \
                  " ON CONFLICT DO UPDATE SET feed = excluded.feed, position = excluded.position," \
                  " copied = excluded.copied WHERE (feed, position, copied) IS NOT"                \
                  " (excluded.feed, excluded.position, excluded.copied)")                          \
    X(READERS_LEAST, "SELECT min(r.position) FROM feed_readers AS r JOIN devices AS d"             \
                     " ON d.id = r.device LEFT JOIN device_status AS t ON t.device = r.device"     \
                     " WHERE r.feed = ? AND d.revoked = 0"                                         \
                     " AND (t.device IS NULL OR t.online = 1 OR t.last_seen_at >= ?)")             \
    X(TRIM_FEED, "SELECT number, head FROM feeds WHERE number >= ?"                                \
                 " AND substr(location, 1, 1) <> '*' ORDER BY number LIMIT 1")                     \
    X(TRIM_ROW, "SELECT position, bytes FROM feed_rows WHERE feed = ? AND position > ?"            \
                " AND position <= ? AND type = 'event' AND bytes IS NOT NULL"                      \
                " ORDER BY position LIMIT 1")                                                      \
    X(TRIM_YOUNG, "SELECT 1 FROM record_events AS m JOIN events AS e ON e.lsn = m.lsn"             \
                  " JOIN streams AS s ON s.number = e.stream WHERE m.record = ?"                   \
                  " AND s.since + e.received >= ? LIMIT 1")                                        \
    X(TRIM_EVENTS, "SELECT e.id FROM record_events AS m JOIN events AS e ON e.lsn = m.lsn"         \
                   " WHERE m.record = ?")                                                          \
    X(TRIM_LAST, "SELECT e.id FROM records AS r JOIN record_events AS m ON m.record = r.number"    \
                 " JOIN events AS e ON e.lsn = m.lsn WHERE r.location = ? AND r.type = ?"          \
                 " AND r.id = ? AND e.state <= 2 AND e.lsn < ? ORDER BY m.lsn DESC LIMIT 1")       \
    X(TRIM_TOLD, "SELECT " TEXT_COLUMNS " FROM records AS r JOIN record_events AS m"               \
                 " ON m.record = r.number JOIN events AS e ON e.lsn = m.lsn JOIN streams AS s"     \
                 " ON s.number = e.stream WHERE r.location = ? AND r.type = ? AND r.id = ?"        \
                 " AND e.state <= 2 AND e.lsn < ? ORDER BY e.lsn")                                 \
    X(FEED_AT, "SELECT hash FROM feed_rows WHERE feed = ? AND position = ?")                       \
    X(FEED_LSN, "SELECT CASE WHEN ?3 = 0 THEN 0 ELSE r.lsn END FROM feeds AS f LEFT JOIN"          \
                " feed_rows AS r ON r.feed = f.number AND r.position = ?3"                         \
                " WHERE f.location = ?1 AND f.id = ?2")                                            \
    X(FEED_READ, "SELECT position, hash, bytes FROM feed_rows WHERE feed = ? AND position > ?"     \
                 " AND bytes IS NOT NULL ORDER BY position")                                       \
    X(FEED_NOTICES, "SELECT e.id, e.state, d.reason FROM events AS e INDEXED BY events_apart"      \
                    " JOIN streams AS s ON s.number = e.stream LEFT JOIN dead AS d"                \
                    " ON d.lsn = e.lsn WHERE e.state > 2 AND e.state IN (3, 5)"                    \
                    " AND s.location = ? AND e.id IS NOT NULL ORDER BY e.lsn")                     \
    X(FEED_CARRIERS, "SELECT e.id, s.origin, s.lane, e.seq FROM events AS e INDEXED BY"            \
                     " events_apart JOIN streams AS s ON s.number = e.stream WHERE e.state > 2"    \
                     " AND e.state = 7 AND s.location = ? AND e.id IS NOT NULL ORDER BY e.lsn")    \
    /* feeds, downstream side */                                                                   \
    X(CURSOR_FIND, "SELECT feed, position, hash, generation, fresh FROM feed_cursors"              \
                   " WHERE location = ?")                                                          \
    X(CURSOR_SHOWN, "SELECT shown_feed, shown FROM feed_cursors WHERE location = ?"                \
                    " AND shown IS NOT NULL")                                                      \
    X(CURSOR_SHOW,                                                                                 \
      "UPDATE feed_cursors SET shown_feed = feed, shown = position WHERE location = ?")            \
    X(CURSOR_SET, "INSERT INTO feed_cursors (location, feed, position, hash, generation, fresh)"   \
                  " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET feed = excluded.feed,"     \
                  " position = excluded.position, hash = excluded.hash,"                           \
                  " generation = excluded.generation, fresh = excluded.fresh")                     \
    X(STAGE, "INSERT INTO feed_staged (location, bytes) VALUES (?, ?)")                            \
    X(STAGED_NEXT, "SELECT number, bytes FROM feed_staged WHERE number > ? AND location = ?"       \
                   " ORDER BY number LIMIT 1")                                                     \
    X(STAGED_DROP, "DELETE FROM feed_staged WHERE location = ?")                                   \
    X(INCLUDE_TELL, "INSERT INTO includes (origin, lane, seq, told) VALUES (?, ?, 0, ?) ON "       \
                    "CONFLICT DO UPDATE SET told = excluded.told")                                 \
    X(INCLUDES_FORGET, "UPDATE includes SET told = NULL WHERE told IS NOT NULL")                   \
    X(INCLUDES_TOLD, "SELECT origin, lane, seq, told FROM includes INDEXED BY includes_told "      \
                     "WHERE told IS NOT NULL")                                                     \
    X(INCLUDE_SHOW, "UPDATE includes SET seq = ?, told = NULL WHERE origin = ? AND lane = ?")      \
    X(INCLUDE_GET, "SELECT seq FROM includes WHERE origin = ? AND lane = ?")                       \
    X(OVERLAY_SUMS, "SELECT sku, quantity, ifnull(confirmed, 0) FROM stock WHERE location = ? "    \
                    "AND quantity IS NOT confirmed")                                               \
    /* catalog */                                                                                  \
    X(CATALOG_STATE, "SELECT edition, floor, version, hash, count, next_edition, next_floor,"      \
                     " next_version, next_hash, next_count, rows, staged, swept, refused_version," \
                     " refused_hash, sum FROM catalog_state")                                      \
    X(CATALOG_STATE_SET, "UPDATE catalog_state SET edition = ?, floor = ?, version = ?, hash = ?," \
                         " count = ?, next_edition = ?, next_floor = ?, next_version = ?,"         \
                         " next_hash = ?, next_count = ?, rows = ?, staged = ?, swept = ?,"        \
                         " refused_version = ?, refused_hash = ?, sum = ?")                        \
    X(DRAFT_ITEM,                                                                                  \
      "SELECT i.id, i.name, i.name_ar, i.name_en, i.name_fr, i.category, i.unit,"                  \
      " i.barcode, i.shelf_life_days, i.tax, coalesce(i.active, 1), p.price,"                      \
      " p.currency, p.places, r.uses, NULL, NULL FROM items AS i LEFT JOIN prices AS p"            \
      " ON p.location = '*' AND p.id = i.id AND p.list IS NULL LEFT JOIN recipes AS r"             \
      " ON r.location = '*' AND r.id = i.id WHERE i.location = '*' AND i.id = ?")                  \
    X(DRAFT_PRICE, "SELECT id, sku, list, price, currency, places, NULL, NULL FROM prices"         \
                   " WHERE location = '*' AND id = ? AND list IS NOT NULL")                        \
    X(DRAFT_PROMOTION,                                                                             \
      "SELECT id, name, kind, value, currency, sku, category, buy, free, weekdays,"                \
      " since, until, from_time, until_time, place, priority,"                                     \
      " coalesce(active, 1), NULL FROM promotions WHERE location = '*'"                            \
      " AND id = ?")                                                                               \
    X(DRAFT_TAX, "SELECT id, name, percent, included, since, before, NULL FROM taxes"              \
                 " WHERE location = '*' AND id = ?")                                               \
    X(CATALOG_CHANGED, "SELECT kind, id FROM catalog_changed ORDER BY kind, id")                   \
    X(CATALOG_CHANGED_DROP, "DELETE FROM catalog_changed")                                         \
    X(CATALOG_VERSION_ADD,                                                                         \
      "INSERT INTO catalog_versions (version, hash, computed, count, changed,"                     \
      " note, published_at, published_by, event_id, lsn) VALUES (?, ?, ?, ?,"                      \
      " ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")                                                 \
    X(CATALOG_VERSION_WRONG,                                                                       \
      "SELECT version FROM catalog_versions WHERE hash <> computed LIMIT 1")                       \
    X(CATALOG_VERSION_FIND, "SELECT hash, count FROM catalog_versions WHERE version = ?")          \
    X(CATALOG_PUBLISHED_AT,                                                                        \
      "SELECT published_at FROM catalog_versions ORDER BY version DESC LIMIT 1")                   \
    X(CATALOG_VERSION_SEEN, "SELECT max(v) FROM (SELECT max(version) AS v FROM "                   \
                            "catalog_versions UNION ALL SELECT max(catalog_version) FROM "         \
                            "device_status WHERE catalog_version <= (SELECT "                      \
                            "coalesce(max(version), 0) + 10000 FROM catalog_versions))")           \
    X(CATALOG_CHANGED_COUNT, "SELECT count(*) FROM catalog_changed")                               \
    X(CATALOG_PRICE_AT,                                                                            \
      "SELECT CASE gone WHEN 0 THEN price END, currency, places, coalesce(priced, 0), gone "       \
      "FROM catalog_item_rows WHERE id = ? AND edition <= ? ORDER BY edition DESC LIMIT 1")        \
    X(CATALOG_LIST_PRICE_AT,                                                                       \
      "SELECT CASE gone WHEN 0 THEN price END, currency, places, coalesce(priced, 0) "             \
      "FROM catalog_price_rows WHERE id = ? AND edition <= ? ORDER BY edition DESC LIMIT 1")       \
    X(PRICE_DRAFT, "SELECT price, currency, places, 0 FROM prices WHERE location = ? AND id = ?")  \
    /* what the feed does not include yet was not judged */                                        \
    X(OWN_PRICE,                                                                                   \
      "SELECT price, currency, places, 0, catalog, EXISTS (SELECT 1 FROM records AS r JOIN "       \
      "record_events AS m ON m.record = r.number JOIN events AS e ON e.lsn = m.lsn JOIN streams "  \
      "AS s ON s.number = e.stream LEFT JOIN includes AS i ON i.origin = s.origin AND i.lane = "   \
      "s.lane WHERE r.location = o.location AND r.type = 'price' AND r.id = o.id AND e.id = "      \
      "o.event AND e.seq > coalesce(i.seq, 0)), event, set_at, set_by FROM own_prices AS o WHERE " \
      "location = ? AND id = ? AND nth = 0")                                                       \
    X(OWN_PRICES_OF,                                                                               \
      "SELECT price, currency, places, 0, catalog, event, id FROM own_prices WHERE location = ? "  \
      "AND sku = ?")                                                                               \
    X(CATALOG_OTHER_PRICES,                                                                        \
      "SELECT price, currency, places, coalesce(priced, 0) FROM catalog_price_rows AS r WHERE "    \
      "r.sku = ?1 AND r.edition <= ?2 AND r.gone = 0 AND NOT EXISTS (SELECT 1 FROM "               \
      "catalog_price_rows AS n WHERE n.id = r.id AND n.edition > r.edition AND n.edition <= ?2)")  \
    X(CATALOG_PROMOTIONS_AT,                                                                       \
      "SELECT r.kind, r.value, coalesce(r.currency, '') FROM catalog_promotion_rows AS r "         \
      "WHERE r.edition <= ?2 AND r.gone = 0 AND r.active = 1 AND (r.sku = ?1 OR (r.sku IS "        \
      "NULL AND r.category = (SELECT i.category FROM catalog_item_rows AS i WHERE i.id = "         \
      "?1 AND i.edition <= ?2 ORDER BY i.edition DESC LIMIT 1))) AND r.kind IS NOT NULL "          \
      "AND r.value IS NOT NULL AND NOT EXISTS (SELECT 1 FROM catalog_promotion_rows AS n "         \
      "WHERE n.id = r.id AND n.edition > r.edition AND n.edition <= ?2)")                          \
    X(PRICED_LINES,                                                                                \
      "SELECT t.location, 'ticket', t.id, t.event_id, l.sku, l.catalog, l.unit_price, "            \
      "t.currency, 0 "                                                                             \
      "FROM tickets AS t JOIN ticket_lines AS l ON l.ticket = t.lsn WHERE "                        \
      "l.catalog >= ?1 UNION ALL " PRICED_ORDERS "l.catalog >= ?1")                                \
    X(PRICED_ORDER, PRICED_ORDERS "b.location = ? AND b.order_id = ?")                             \
    X(JUDGED_FOR, "SELECT 1 FROM judgements WHERE location = ? AND target = ? AND reason = ?")     \
    X(QUESTION_OPEN, "SELECT triggers FROM record_reviews WHERE location = ? AND record = ? AND "  \
                     "type = ? AND kind = ? AND part = '' AND open = 1")                           \
    X(CATALOG_QUESTIONS, "SELECT number, kind, record, location, text, detail, opened_at, "        \
                         "open FROM reviews WHERE open = 1 AND location = '*' AND kind IN "        \
                         "('price_same_rank', 'tax_same_rank', 'promotion_same_rank') "            \
                         "ORDER BY number LIMIT ?")                                                \
    X(CURSOR_DROP, "UPDATE feed_cursors SET feed = zeroblob(16), position = 0, hash = "            \
                   "zeroblob(32), fresh = 1 WHERE location = ?")                                   \
    /* queries */                                                                                  \
    X(STREAM_TOTALS, "SELECT lane, sum(max(head_seq, coalesce((SELECT max(seq) FROM late"          \
                     " WHERE stream = number), 0)) - held_seq), sum(held_seq - settled_seq),"      \
                     " sum(kept), sum(starts_run AND held_seq = 0 AND settled_seq = 0),"           \
                     " sum(starts_run AND held_seq > 0 AND settled_seq = 0),"                      \
                     " sum(starts_run AND kept > 0), max(acked_at) FROM (SELECT s.*, "             \
                     "coalesce(n.seq, s.settled_seq) AS kept FROM streams AS s LEFT JOIN ended "   \
                     "AS n ON n.origin = s.origin AND n.lane = s.lane)"                            \
                     " GROUP BY lane")                                                             \
    X(LINE_TOTALS, "SELECT count(*), " SPLIT_SUM("quantity") " FROM ticket_lines")                 \
    X(STOCK_VIEW, "SELECT location, sku, quantity, coalesce(confirmed, 0) FROM stock"              \
                  " ORDER BY location, sku")                                                       \
    X(BRANCHES, "SELECT b.branch_id, b.branch_name, l.region, b.pending_events, b.conflict_count," \
                " (SELECT count(*) FROM dead_letters AS d WHERE d.location = b.branch_id),"        \
                " (SELECT min(nullif(oldest_pending_at, 0)) FROM device_status"                    \
                " WHERE location = b.branch_id), b.last_synced_at,"                                \
                " (SELECT max(last_seen_at) FROM device_status WHERE location = b.branch_id),"     \
                " (SELECT count(*) FROM devices WHERE location = b.branch_id AND revoked = 0),"    \
                " (SELECT count(*) FROM device_status WHERE location = b.branch_id AND online = 1" \
                " AND last_seen_at > CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"   \
                " - 35000), (SELECT min(nullif(catalog_version, 0)) FROM device_status AS s"       \
                " JOIN devices AS d ON d.id = s.device WHERE s.location = b.branch_id"             \
                " AND d.revoked = 0)"                                                              \
                " FROM branch_sync_status AS b" /* three beats: a centre that was killed           \
                                                   left nobody a moment to say goodbye */          \
                " LEFT JOIN locations AS l ON l.id = b.branch_id ORDER BY b.branch_id")            \
    X(TICKET_TOTALS, "SELECT currency, places, count(*), " SPLIT_SUM(                              \
                         "total") " FROM tickets"                                                  \
                                  " GROUP BY currency, places ORDER BY currency, places")

#endif
