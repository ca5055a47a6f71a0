// SPDX-License-Identifier: GPL-2.0-only
/* x87, XMM, YMM keep what is in them over every kind of exit; XCR0, XSETBV and XSAVE by the book. */
#include "apic.h"
#include "exits.h"

#define XCR0_X87	BIT(0)
#define XCR0_SSE	BIT(1)
#define XCR0_AVX	BIT(2)
#define HAS_XSAVE(id)	((id).ecx & BIT(26))
#define HAS_AVX(id)	((id).ecx & BIT(28))

struct vectors {
	u8 v[16][32];
	u32 mxcsr;
	u16 fcw;
	u64 st0;
} __attribute__((aligned(32)));

static bool use_avx;

static inline u64 xgetbv(void)
{
	u32 low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (u64)high << 32 | low;
}

static unsigned int xsetbv(u32 index, u64 value)
{
	return VECTOR_OF("xsetbv", : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static bool xsave_on(void)
{
	if (!HAS_XSAVE(cpuid(1, 0)))
		return false;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	return true;
}

static void vectors_load(const struct vectors *in)
{
#define LOAD(n)	asm volatile("movups %0, %%xmm" #n : : "m"(in->v[n]));
#define LOADY(n) asm volatile("vmovups %0, %%ymm" #n : : "m"(in->v[n]));
#define ALL(X)	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
	if (use_avx) {
		ALL(LOADY)
	} else {
		ALL(LOAD)
	}
	asm volatile("ldmxcsr %0" : : "m"(in->mxcsr));
	asm volatile("fninit; fldcw %0; fildq %1" : : "m"(in->fcw), "m"(in->st0));
}

static void vectors_store(struct vectors *out)
{
#define STORE(n) asm volatile("movups %%xmm" #n ", %0" : "=m"(out->v[n]));
#define STOREY(n) asm volatile("vmovups %%ymm" #n ", %0" : "=m"(out->v[n]));
	if (use_avx) {
		ALL(STOREY)
	} else {
		ALL(STORE)
	}
	asm volatile("stmxcsr %0" : "=m"(out->mxcsr));
	asm volatile("fnstcw %0; fistpq %1" : "=m"(out->fcw), "=m"(out->st0) : : "memory");
}

static void vectors_fill(struct vectors *v, u8 seed)
{
	fill(v, 0, sizeof(*v));
	for (unsigned int i = 0; i < 16; i++) {
		for (unsigned int b = 0; b < (use_avx ? 32 : 16); b++)
			v->v[i][b] = seed + 37 * i + 11 * b;
	}
	v->mxcsr = 0x1f80 | (seed & 3) << 13;
	v->fcw = 0x37f | (seed & 3) << 10;
	v->st0 = 0x123456789abcULL * (seed + 1);
}

static void patterns_kept(void)
{
	static struct vectors in[CPU_MAX], out[CPU_MAX];
	struct vectors *want = &in[cpu_index()], *got = &out[cpu_index()];

	for (unsigned int round = 0; round < 3; round++) {
		for (const struct exit_kind *kind = exit_kinds; kind->fn; kind++) {
			vectors_fill(want, cpu_index() * 16 + round * 3 + 1);
			vectors_load(want);
			kind->fn();
			fill(got, 0, sizeof(*got));
			vectors_store(got);
			if (!check(same(want, got, sizeof(*got))))
				print("# after %s\n", kind->name);
		}
	}
}

static void patterns(void)
{
	if (xsave_on() && HAS_AVX(cpuid(1, 0)))
		xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX);
	patterns_kept();
}

/* SSE needs CR4.OSFXSR alone: as of an OS that knows no XSAVE, and of one that has switched it off. */
static void test_patterns_without_xsave(void)
{
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	use_avx = false;
	patterns_kept();
	if (!xsave_on())
		return;
	check_eq(xsetbv(0, XCR0_X87), NONE);
	patterns_kept();
}

static void test_patterns(void)
{
	use_avx = HAS_XSAVE(cpuid(1, 0)) && HAS_AVX(cpuid(1, 0));
	patterns();
}

static void test_patterns_of_all_cpus(void)
{
	cpu_start_all(patterns);
	patterns();
	check(cpu_wait_all_done());
}

/* ---- CR0.TS, EM; CR4.OSFXSR ---- */

static void test_not_available(void)
{
	u64 cr0 = read_cr0();

	write_cr0(cr0 | CR0_TS);
	check_eq(VECTOR_OF("movaps %%xmm0, %%xmm1", : : "memory"), NM);
	check_eq(VECTOR_OF("fninit", : : "memory"), NM);
	check(read_cr0() & CR0_TS);
	asm volatile("clts");
	check(!(read_cr0() & CR0_TS));
	check_eq(VECTOR_OF("movaps %%xmm0, %%xmm1", : : "memory"), NONE);
	/* by the handler, as an OS does it lazily */
	write_cr0((cr0 & ~CR0_TS) | CR0_EM);
	check_eq(VECTOR_OF("fninit", : : "memory"), NM);
	check_eq(VECTOR_OF("movaps %%xmm0, %%xmm1", : : "memory"), UD);
	write_cr0(cr0);
	write_cr4(read_cr4() & ~CR4_OSFXSR);
	check_eq(VECTOR_OF("movaps %%xmm0, %%xmm1", : : "memory"), UD);
	write_cr4(read_cr4() | CR4_OSFXSR);
	check_eq(VECTOR_OF("movaps %%xmm0, %%xmm1", : : "memory"), NONE);
}

static void test_fp_exceptions(void)
{
	static const u32 zero, one = 0x3f800000;
	u32 mxcsr = 0x1f80 & ~0x200;		/* ZE unmasked */

	asm volatile("ldmxcsr %0\n movss %1, %%xmm0\n movss %2, %%xmm1" : : "m"(mxcsr), "m"(one), "m"(zero));
	check_eq(VECTOR_OF("divss %%xmm1, %%xmm0", : : "memory"), XM);
	mxcsr = 0x1f80;
	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
	check_eq(VECTOR_OF("ldmxcsr %0", : "m"((u32){ 0xffffffff }) : "memory"), GP);
}

/* ---- XSETBV ---- */

static void test_osxsave_bit(void)
{
	if (!HAS_XSAVE(cpuid(1, 0))) {
		test_skip("no XSAVE");
		return;
	}
	write_cr4(read_cr4() & ~CR4_OSXSAVE);
	check(!(cpuid(1, 0).ecx & BIT(27)));
	check_eq(VECTOR_OF("xgetbv", : "c"(0) : "eax", "edx", "memory"), UD);
	check_eq(xsetbv(0, XCR0_X87), UD);
	write_cr4(read_cr4() | CR4_OSXSAVE);
	check(cpuid(1, 0).ecx & BIT(27));
	check_eq(VECTOR_OF("xgetbv", : "c"(0) : "eax", "edx", "memory"), NONE);
}

static void test_xsetbv_rules(void)
{
	u64 can, before;

	if (!xsave_on()) {
		test_skip("no XSAVE");
		return;
	}
	can = cpuid(0xd, 0).eax | (u64)cpuid(0xd, 0).edx << 32;
	before = xgetbv();
	check_eq(xsetbv(0, 0), GP);
	check_eq(xsetbv(0, XCR0_SSE), GP);			/* without x87 */
	check_eq(xsetbv(0, XCR0_X87 | XCR0_AVX), GP);		/* AVX without SSE */
	check_eq(xsetbv(0, XCR0_X87 | BIT(5)), GP);		/* a third of AVX-512 */
	check_eq(xsetbv(0, XCR0_X87 | BIT(63)), GP);
	check_eq(xsetbv(1, XCR0_X87), GP);			/* no XCR1 */
	for (unsigned int bit = 0; bit < 64; bit++)
		if (!(can & BIT(bit)))
			check_eq(xsetbv(0, XCR0_X87 | BIT(bit)), GP);
	check_eq(xgetbv(), before);
	check_eq(xsetbv(0, XCR0_X87), NONE);
	check_eq(xgetbv(), XCR0_X87);
	check_eq(xsetbv(0, XCR0_X87 | XCR0_SSE), NONE);
	check_eq(xsetbv(0, can), NONE);
	check_eq(xgetbv(), can);
	check_eq(VECTOR_OF("xgetbv", : "c"(2) : "eax", "edx", "memory"), GP);
}

/* Instructions follow XCR0, which is not the host's. */
static void test_avx_follows_xcr0(void)
{
	if (!xsave_on() || !HAS_AVX(cpuid(1, 0))) {
		test_skip("no AVX");
		return;
	}
	xsetbv(0, XCR0_X87 | XCR0_SSE);
	check_eq(VECTOR_OF("vxorps %%ymm0, %%ymm0, %%ymm0", : : "memory"), UD);
	xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX);
	check_eq(VECTOR_OF("vxorps %%ymm0, %%ymm0, %%ymm0", : : "memory"), NONE);
	/* and after an exit of each kind */
	for (const struct exit_kind *kind = exit_kinds; kind->fn; kind++) {
		kind->fn();
		check_eq(VECTOR_OF("vxorps %%ymm0, %%ymm0, %%ymm0", : : "memory"), NONE);
		check_eq(xgetbv(), XCR0_X87 | XCR0_SSE | XCR0_AVX);
	}
}

/* ---- XSAVE ---- */

static u8 area[4096] __attribute__((aligned(64)));

/* Of XSAVEC, by the subleaves of what is on: one behind the other. */
static void check_compacted(void)
{
	u64 on = xgetbv();
	u32 size = 576;

	if (!(cpuid(0xd, 1).eax & BIT(1))) {
		check_eq(cpuid(0xd, 1).ebx, 0);
		return;
	}
	for (unsigned int i = 2; i < 32; i++) {
		struct cpuid part = cpuid(0xd, i);

		if (!(on & BIT(i)))
			continue;
		if (part.ecx & BIT(1))
			size = (size + 63) & ~63U;
		size += part.eax;
	}
	check_eq(cpuid(0xd, 1).ebx, size);
	/* it writes the header, and nothing behind that size */
	fill(area, 0x5a, sizeof(area));
	check_eq(VECTOR_OF("xsavec64 (%0)", : "r"(area), "a"((u32)on), "d"(0) : "memory"), NONE);
	check_eq(*(u64 *)(area + 520), BIT(63) | on);
	for (unsigned int i = size; i < sizeof(area); i++)
		if (!check_eq(area[i], 0x5a))
			break;
}

static void test_xsave_sizes(void)
{
	struct cpuid d;

	if (!xsave_on()) {
		test_skip("no XSAVE");
		return;
	}
	xsetbv(0, XCR0_X87);
	check_eq(cpuid(0xd, 0).ebx, 576);
	check_compacted();
	if (HAS_AVX(cpuid(1, 0))) {
		struct cpuid avx = cpuid(0xd, 2);

		check_eq(avx.eax, 256);
		check_eq(avx.ebx, 576);
		xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX);
		check_eq(cpuid(0xd, 0).ebx, 832);
		check_compacted();
	}
	if ((cpuid(0xd, 0).eax & 0xe0) == 0xe0) {
		xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX | 0xe0);
		check_compacted();
	}
	d = cpuid(0xd, 0);
	check(d.ecx >= d.ebx && d.ecx <= sizeof(area));
	for (unsigned int i = 2; i < 63; i++) {
		struct cpuid part = cpuid(0xd, i);
		u64 can = d.eax | (u64)d.edx << 32;

		check_eq(!!(can & BIT(i)), !!part.eax);
		if (part.eax)
			check(part.ebx + part.eax <= d.ecx);
	}
	check_eq(cpuid(0xd, 1).eax & BIT(3), 0);		/* no XSAVES */
	check_eq(VECTOR_OF("xsaves64 (%0)", : "r"(area), "a"(7), "d"(0) : "memory"), UD);
	check_eq(VECTOR_OF("rdmsr", : "c"(0xda0) : "eax", "edx", "memory"), GP);
}

/* Instructions are told of only where XCR0 can have the registers that they work on. */
static void test_instructions_have_their_state(void)
{
	struct cpuid one = cpuid(1, 0), seven = cpuid(7, 0);
	u64 can = HAS_XSAVE(one) ? cpuid(0xd, 0).eax : 1;

	if ((can & 6) != 6) {
		check_eq(one.ecx & (BIT(12) | BIT(28) | BIT(29)), 0);		/* FMA AVX F16C */
		check_eq(seven.ebx & BIT(5), 0);				/* AVX2 */
		check_eq(seven.ecx & (BIT(9) | BIT(10)), 0);			/* VAES VPCLMULQDQ */
	}
	if ((can & 0xe6) != 0xe6) {
		check_eq(seven.ebx & (BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31)), 0);
		check_eq(seven.ecx & (BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14)), 0);
	}
}

static void test_xsave_round_trip(void)
{
	static struct vectors want, got;

	if (!xsave_on() || !HAS_AVX(cpuid(1, 0))) {
		test_skip("no AVX");
		return;
	}
	use_avx = true;
	xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX);
	vectors_fill(&want, 9);
	vectors_load(&want);
	fill(area, 0, sizeof(area));
	asm volatile("xsave64 (%0)" : : "r"(area), "a"(7), "d"(0) : "memory");
	check_eq(*(u64 *)(area + 512) & 6, 6);
	check(same(area + 160, want.v[0], 16));
	check(same(area + 576, want.v[0] + 16, 16));
	vectors_fill(&got, 100);
	vectors_load(&got);
	exit_kinds[0].fn();
	asm volatile("xrstor64 (%0)" : : "r"(area), "a"(7), "d"(0) : "memory");
	fill(&got, 0, sizeof(got));
	vectors_store(&got);
	check(same(&want, &got, sizeof(got)));
	/* reserved bits of the header, and alignment */
	*(u64 *)(area + 512) |= BIT(40);
	check_eq(VECTOR_OF("xrstor64 (%0)", : "r"(area), "a"(7), "d"(0) : "memory"), GP);
	check_eq(VECTOR_OF("xsave64 (%0)", : "r"(area + 8), "a"(7), "d"(0) : "memory"), GP);
}

const struct test tests[] = {
	TEST(patterns_without_xsave),
	TEST(patterns),
	TEST(patterns_of_all_cpus),
	TEST(not_available),
	TEST(fp_exceptions),
	TEST(osxsave_bit),
	TEST(xsetbv_rules),
	TEST(avx_follows_xcr0),
	TEST(xsave_sizes),
	TEST(instructions_have_their_state),
	TEST(xsave_round_trip),
	{},
};
