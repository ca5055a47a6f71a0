/* SPDX-License-Identifier: GPL-2.0-only */
/* What the log says of a VM: on request, at its end, and after a safe state. */
#ifndef QVM_VM_REPORT_H
#define QVM_VM_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct vm;

/* The last exits of a vCPU, by log_error(). Any thread. */
void report_trail(const struct vm *vm, size_t index);
/* Registers and last exits of every vCPU that the guest has switched on. No vCPU runs. */
void report_vcpus(const struct vm *vm);
/* The addresses that the guest has looked for in vain, if there are any, by log_info(). Any thread. */
void report_unclaimed(const struct vm *vm);

#endif
