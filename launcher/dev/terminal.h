/* SPDX-License-Identifier: GPL-2.0-only */
/* Raw mode of the host's terminals, undone on every way out of the process. */
#ifndef QVM_DEV_TERMINAL_H
#define QVM_DEV_TERMINAL_H

/*
 * Pass each byte that is typed on terminal @fd on as it is, with no echo and no signals.
 * Output is still processed (LF → CR LF), so that messages of the launcher look right.
 * 0 or -errno; -ENOTTY: fd is no terminal, nothing is changed.
 */
int terminal_raw(int fd);

/*
 * Give all terminals their settings back. Called by exit() and before death by a fatal signal;
 * async-signal-safe, and fine if called twice.
 */
void terminal_restore(void);

#endif
