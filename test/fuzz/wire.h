// SPDX-License-Identifier: Apache-2.0
// The other end of a connection to code under a loop: plain sockets on this machine, which the
// target drives itself between turns of the loop.
//
// Why: connections are libuv's, so bytes must really arrive. A socket is closed with a reset, or
// ports that wait for late packets would run out within seconds.
#ifndef WASL_FUZZ_WIRE_H
#define WASL_FUZZ_WIRE_H

#include "net/loop.h"

#include "base/str.h"

int wire_connect(uint16_t port);         // -1 when the system will not
int wire_listen(uint16_t *ret_port);     // ends the program when the system will not
int wire_accept(struct loop *l, int fd); // the connection that is coming; -1 when none does
// Turns of the loop in which everything that is ready is handled.
void wire_turn(struct loop *l, int turns);
// Sends bytes in pieces of that size (0: all at once), a turn after each. What comes back is read
// and dropped. False once the other end has closed.
bool wire_send(struct loop *l, int fd, struct str bytes, size_t piece);
void wire_close(int fd);

#endif
