// SPDX-License-Identifier: Apache-2.0
// A batch: events of one stream that a person is asked about as one.
//
// Why: a till that was away for four days brings a thousand late events. A person is asked once.
//   Its facts count all the same; its intents wait for the answer, each held by a judgement of its
//   own that names the batch.
// Record: type "batch", id "ORIGIN/LANE/REASON", at the place of the stream. Its events are
//   judgements without a target, one for each part that came, and the answers.
#ifndef WASL_MODEL_BATCH_H
#define WASL_MODEL_BATCH_H

#include "model/record.h"
#include "model/stream.h"

#define BATCH "batch"

enum { BATCH_ID_SIZE = UUID_TEXT_SIZE + 27 }; // at most LIMIT_NAME bytes
void batch_id(const struct stream_key *key, enum verdict_reason reason, char to[BATCH_ID_SIZE]);

extern const struct reducer batch_reducer;

#endif
