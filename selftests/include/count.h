/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest of arm64 that counts interrupts. */
#ifndef SELFTESTS_COUNT_H
#define SELFTESTS_COUNT_H

#include "eventfd.h"

#define SPI		40		/* the line */

/*
 * Takes SPI 40 (GICD_ICFGR2 is x20), and counts it in the first shared word; x21: sleeps meanwhile;
 * x22: rings the doorbell at each.
 */
GUEST(guest_count, G_DEVICE G_SHARED
      "mov x1, #0x08000000\n mov w2, #0x12\n str w2, [x1]\n"
      "str w20, [x1, #0xc08]\n"
      "mov w2, #0x100\n str w2, [x1, #0x104]\n"
      "str wzr, [x1, #0x428]\n"
      "mov x2, #0x6140\n add x1, x1, x2\n str xzr, [x1]\n"
      "movz x1, #0x080a, lsl #16\n mov w2, #0\n str w2, [x1, #0x14]\n"
      "mov x2, #0xff\n msr s3_0_c4_c6_0, x2\n mov x2, #1\n msr s3_0_c12_c12_7, x2\n isb\n"
      "str x2, [x27, #8]\n"
      "1: cbz x21, 2f\n wfi\n"
      "2: mrs x3, s3_0_c12_c12_0\n cmp w3, #1020\n b.hs 1b\n"
      "ldr x5, [x27]\n add x5, x5, #1\n str x5, [x27]\n"
      "msr s3_0_c12_c12_1, x3\n isb\n"
      "cbz x22, 1b\n str w5, [x28, #0x40]\n b 1b\n");

#define EDGE		0x20000		/* GICD_ICFGR2: SPI 40 */

/* A guest that counts; it is ready when this returns, and runs in @r until it is stopped. */
static inline void count_start(struct machine *m, struct runner *r, uint64_t icfgr, bool sleeps, bool rings)
{
	machine_build(m, &guest_count, 1);
	machine_add_gic(m);
	must(set_reg(m->vcpu[0], QVM_REG_X(20), icfgr));
	must(set_reg(m->vcpu[0], QVM_REG_X(21), sleeps));
	must(set_reg(m->vcpu[0], QVM_REG_X(22), rings));
	machine_assemble(m);
	runner_start(r, m, 0);
	must(eventually(*shared(m, 1)) ? 0 : -ETIME);
}

static inline void count_stop(struct machine *m, struct runner *r)
{
	must(call(m->vm, QVM_VM_END, NULL));
	must(runner_join(r) == QVM_EXIT_SYSTEM ? 0 : -EPROTO);
}

static inline uint64_t count(struct machine *m)
{
	return *shared(m, 0);
}

#endif
