/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal of a detached VM: what the guest writes is kept (the last 64 KiB) and sent to all
 * who are attached; what any of them types goes to the guest.
 */
#ifndef QVM_CONTROL_CONSOLE_H
#define QVM_CONTROL_CONSOLE_H

/* Put the console behind standard input and output of this process. 0 or -errno. Before any thread. */
int console_create(void);

/* Serve it in the loop; no effect without console_create(). 0 or -errno. */
int console_open(void);
/* No more; those who are attached are sent away. Fine without console_open(). */
void console_close(void);

/* Send the past to this socket, then what comes. It is the console's from here on. In the loop's thread. */
void console_attach(int fd);

#endif
