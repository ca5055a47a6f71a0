// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests that switch their caches on and off (arm64): without FEAT_S2FWB all of the VM's memory is cleaned each
 * time, and at the first operation by set and way; with it, where QVM_FWB is set, never. Counted in
 * vm_info's `cleaned`, for an emulator has no caches.
 */
#include <kselftest_harness.h>

#include "vm.h"

#define TABLE		0xa000ULL	/* offset in RAM of the guest's translation table */
#define BLOCK		(1ULL | 1ULL << 10 | 3ULL << 8)		/* AF, inner shareable */

/* T0SZ 25: the table has blocks of 1 GiB. x25 is what SCTLR_EL1 has while all is off. */
#define G_MMU_SETUP	"mov x0, #0x04ff\n msr mair_el1, x0\n"				\
			"mov x0, #0x3519\n movk x0, #0x80, lsl #16\n msr tcr_el1, x0\n"	\
			"mov x0, #0x40000000\n movk x0, #0xa000\n msr ttbr0_el1, x0\n isb\n" \
			"tlbi vmalle1\n dsb sy\n isb\n mrs x25, sctlr_el1\n"
#define G_ON		"mov x0, #5\n orr x0, x25, x0\n msr sctlr_el1, x0\n isb\n"		/* M, C */
#define G_MMU_ALONE	"orr x0, x25, #1\n msr sctlr_el1, x0\n isb\n"
#define G_ALL_OFF	"msr sctlr_el1, x25\n isb\n"
#define G_SET_WAY	"dc cisw, xzr\n dsb sy\n"
#define G_SAY(n)	"mov x1, #" #n "\n str x1, [x28]\n"

GUEST(guest_caches, G_DEVICE G_MMU_SETUP
      G_SAY(0)
      G_MMU_ALONE G_SAY(1)			/* no cache yet */
      G_ON G_SAY(2)
      G_ON "msr contextidr_el1, x0\n" G_SAY(3)	/* nothing changes */
      G_SET_WAY G_SAY(4)
      G_SET_WAY "dc csw, xzr\n dc isw, xzr\n" G_SAY(5)	/* another one adds nothing */
      G_ALL_OFF G_SAY(6)
      G_ON G_SAY(7)
      G_ON G_SAY(8)
      "b .");

/* How often all of RAM was cleaned when the guest says so. */
static const unsigned int times[] = { 1, 1, 2, 2, 3, 3, 4, 5, 5 };

TEST(caches_on_and_off)
{
	uint64_t *table, cleaned;
	struct machine m;
	unsigned int i;

	machine_build(&m, &guest_caches, 1);
	table = (uint64_t *)(m.ram + TABLE);
	table[0] = BLOCK | 1ULL << 2 | 3ULL << 53;		/* devices, never executed */
	table[1] = RAM_GPA | BLOCK;
	machine_assemble(&m);
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		ASSERT_EQ(i, next_write(&m, 0, 0));
		cleaned = vm_info(m.vm).cleaned;
		EXPECT_EQ(getenv("QVM_FWB") ? 0 : times[i] * RAM_SIZE, cleaned) { TH_LOG("at %u", i); }
	}
	machine_close(&m);
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
