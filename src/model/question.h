// SPDX-License-Identifier: Apache-2.0
// What a folded record asks of people, and what they answered.
//
// Why: every reducer asks in the same way, so that one list, one page and one event settle what no
//   rule can decide.
// Invariants:
//   1. Which questions there are, and which are open, follows from the record's events alone.
//   2. A question is known by (record, kind, part). It is open while one of its triggers, the
//      events it is about, is not named by an answer to it; a trigger that comes later opens it.
//      Its row names the triggers that are not settled: an answer decides about those alone.
//   3. Of several answers that name an event, the last in the record's order counts.
// Ownership: questions live in the arena given; what they point to must live as long.
// Limits: QUESTION_SIDES sides and answers are told, the newest; triggers are all named.
//
// How a reducer uses it: its state has a 'struct questions'; apply calls question_ask where two
// events of the record disagree, and question_answer for 'review_resolved'; rows calls
// questions_write, with what only the whole can ask as 'found'. Where very many may disagree, each
// of them is asked about once, alone, and not with each that it disagrees with: the row is the
// same.
#ifndef WASL_MODEL_QUESTION_H
#define WASL_MODEL_QUESTION_H

#include "model/id_map.h"
#include "model/record.h"

enum { QUESTION_SIDES = 16, QUESTION_TRIGGERS_MAX = 2 };

enum decision { DECISION_ACCEPT, DECISION_REJECT, DECISION_EDIT };
const char *decision_name(enum decision decision);

// A kind of question that a record type asks: named in its reducer.
struct question_kind {
    const char *kind; // NULL ends the list
    const char *text; // a sentence for people
};
extern const struct question_kind question_none[]; // of a type that asks nothing

struct question_side {
    const struct record_entry *by; // NULL: there is no such side
    struct str value;              // what it says, for people; empty: nothing worth telling
};
struct question {
    const char *kind;
    struct str part;               // the line, bill or field; empty: the whole record
    struct question_side sides[2]; // at least the first
    struct str base;               // what both had seen; empty: none, or not known
    enum decision suggested;
    struct str value; // with DECISION_EDIT: what it should be
    const char *why;  // the suggestion; NULL: none is made
    struct question *next;
};

// What 'review_resolved' says.
struct answer_op {
    struct str review, part;
    enum decision decision;
    struct str value;   // with DECISION_EDIT
    struct str outcome; // of a quantity: where the difference came from
    struct str note;    // why
    struct str name;    // who, where it is no actor
    const struct uuid *triggers;
    size_t trigger_count;
};
struct answer { // to what is asked about one event
    struct uuid trigger;
    const struct record_entry *by;
    const struct answer_op *op;
    struct answer *next; // earlier ones that name it
};

struct questions {          // zeroed: none
    struct question *asked; // the last comes first
    struct id_map answers;  // by the event that they name: the last one
};

bool answer_is(const struct event *event); // by its type
// Reads the body of a 'review_resolved'. ERR_INVALID, ERR_NO_MEMORY.
enum err_code answer_decode(const struct event *event, struct arena *kept, struct answer_op *ret,
                            struct err *e) MUST_CHECK;

// Adds a copy of the question. ERR_NO_MEMORY.
enum err_code question_ask(struct question **list, const struct question *question,
                           struct arena *a) MUST_CHECK;
enum err_code question_answer(struct questions *q, const struct record_entry *by,
                              const struct answer_op *op, struct arena *a) MUST_CHECK;

// The last answer to questions of this kind that names the event; NULL: none. kind NULL: any kind.
const struct answer *question_answered(const struct questions *q, const char *kind,
                                       const struct record_entry *by);
// True when a person rejected the event in an answer to questions of this kind.
bool question_rejected(const struct questions *q, const char *kind, const struct record_entry *by);
// The same, of the question about this part alone.
bool question_part_rejected(const struct questions *q, const char *kind, struct str part,
                            const struct record_entry *by);
// True when the event has its effect: it counts as it was judged, and no answer took it out or put
// another value in its stead.
bool question_counts(const struct questions *q, const struct record_entry *by);
bool question_open(const struct questions *q, const struct question *question);
// True when an answer to questions of this kind and part names the event.
bool question_settled(const struct questions *q, const char *kind, struct str part,
                      const struct record_entry *trigger);

// Rows of all questions: those asked and those 'found' while looking at the whole.
extern const struct row_table question_table;
enum err_code questions_write(const struct questions *q, const struct question *found,
                              const struct record_name *record, struct row_list *to) MUST_CHECK;

#endif
