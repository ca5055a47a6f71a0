/* SPDX-License-Identifier: GPL-2.0-only */
/* What guests without an ACPI parser read of CPUs and interrupts (Intel, MultiProcessor Specification 1.4). */
#ifndef QVM_BOOT_MPTABLE_H
#define QVM_BOOT_MPTABLE_H

#include <stddef.h>
#include <stdint.h>

struct machine;

#define MPTABLE_SIZE_MAX	0x800	/* of the largest machine */

/*
 * Write the floating pointer and the configuration table of this model to @area, which holds
 * MPTABLE_SIZE_MAX bytes of zero and will be at gpa @gpa of the guest, a multiple of 16 below 4G: the
 * same as the MADT says. Returns how many bytes both take, or 0 on a board without an I/O APIC, which
 * has neither.
 */
size_t mptable_build(const struct machine *m, uint8_t *area, uint64_t gpa);

#endif
