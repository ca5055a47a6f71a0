/* SPDX-License-Identifier: GPL-2.0-only */
/* The FP and SIMD registers. C code of the guests is built without them: it leaves them alone. */
#ifndef GUEST_FP_H
#define GUEST_FP_H

#include "guest.h"

struct fp {
	u64 q[64];	/* Q0 low, high, Q1 low … */
	u64 fpcr, fpsr;
};

void fp_load(const struct fp *fp);
void fp_save(struct fp *fp);

/* A pattern that no other @seed has in any register. */
void fp_fill(struct fp *fp, u64 seed);
/* Note each register in which they differ. */
bool fp_check(const struct fp *got, const struct fp *want, const char *after);

#endif /* GUEST_FP_H */
