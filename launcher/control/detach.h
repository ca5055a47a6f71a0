/* SPDX-License-Identifier: GPL-2.0-only */
/* `--detach`: the VM goes on in the background once it has started. */
#ifndef QVM_CONTROL_DETACH_H
#define QVM_CONTROL_DETACH_H

#include <stdbool.h>

struct vm;

/*
 * Fork: the child returns, a session of its own with the console behind its terminal. The parent
 * waits until the VM has started and exits with 0, or with the child's status if it does not.
 */
void detach_begin(void);

/* The VM has started: let the parent go; what is said from here on goes to the VM's log file. */
void detach_end(const struct vm *vm);

#endif
