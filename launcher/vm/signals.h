/* SPDX-License-Identifier: GPL-2.0-only */
/* What the process does with signals: they are read in the loop, never in a handler. */
#ifndef QVM_VM_SIGNALS_H
#define QVM_VM_SIGNALS_H

struct vm;

/*
 * Set up the loop and take over the signals of this process for @vm. Call it before any
 * thread is started: threads inherit the mask. 0 or -errno, message printed.
 */
int signals_init(struct vm *vm);
/* Give them back and destroy the loop; fine without signals_init(). */
void signals_fini(void);

#endif
