/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket of a VM: a client sends one line, gets text until the end of the stream, of
 * which the last line is "ok" or "error: …". `console` stays open: bytes both ways.
 */
#ifndef QVM_CONTROL_SERVER_H
#define QVM_CONTROL_SERVER_H

struct vm;

/* Listen in the VM's folder. 0 or -errno. In the loop's thread, as all that follows from it. */
int server_open(struct vm *vm);
/* Send everyone away. Fine without server_open(). */
void server_close(void);

#endif
