// SPDX-License-Identifier: GPL-2.0-only
#include "fp.h"

#define FPCR_BITS	0x07c00000ULL	/* AHP, DN, FZ, RMode: no traps, no new ones */
#define FPSR_BITS	0x0800009fULL	/* QC and the cumulative ones */

void fp_fill(struct fp *fp, u64 seed)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(fp->q); i++)
		fp->q[i] = seed << 48 | 0x5a0000000000ULL | i << 8 | ((seed + i) & 0xff);
	fp->fpcr = seed << 22 & FPCR_BITS;
	fp->fpsr = (seed * 5) & FPSR_BITS;
}

bool fp_check(const struct fp *got, const struct fp *want, const char *after)
{
	bool same = true;

	for (unsigned int i = 0; i < ARRAY_SIZE(got->q); i++)
		same &= check_eq(got->q[i], want->q[i]);
	same &= check_eq(got->fpcr, want->fpcr);
	same &= check_eq(got->fpsr, want->fpsr);
	if (!same)
		print("# after %s\n", after);
	return same;
}
