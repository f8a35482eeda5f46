// SPDX-License-Identifier: Apache-2.0
// What the parts of the messages share. Nobody else includes this.
//
// message.c frames a message with its closing sum; message_write.c and message_read.c know the
// lines between.
#ifndef WASL_SYNC_MESSAGE_PRIVATE_H
#define WASL_SYNC_MESSAGE_PRIVATE_H

#include "sync/message.h"

enum err_code message_write(const struct message *m, struct buf *to) MUST_CHECK;
// 'text' is what the closing sum covers.
enum err_code message_read(struct str text, struct arena *arena, struct message *ret,
                           struct err *e) MUST_CHECK;

#endif
