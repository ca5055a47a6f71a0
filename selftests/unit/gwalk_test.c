// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk of the guest's own paging, and its segments.
 *
 * LINK: kmod/arch/x86/gwalk.c
 * CFLAGS: -Ikmod/arch/x86 -Iuapi/x86
 */
#include <asm/msr-index.h>

#include "core.h"
#include "fake/x86guest/guest.h"
#include "gwalk.h"
#include "unit.h"

#define P	0x001ULL
#define W	0x002ULL
#define U	0x004ULL
#define A	0x020ULL
#define D	0x040ULL
#define PS	0x080ULL
#define XD	BIT_ULL(63)

#define ROOT	0x2000ULL
#define PD	0x4000ULL	/* level 2 */
#define PT	0x5000ULL	/* level 1 */

static u64 gpa;
static u32 error;

static void set64(u64 address, u64 entry)
{
	memcpy(guest.ram + address, &entry, sizeof(entry));
}

static u64 get64(u64 address)
{
	u64 entry;

	memcpy(&entry, guest.ram + address, sizeof(entry));
	return entry;
}

static void set32(u64 address, u32 entry)
{
	memcpy(guest.ram + address, &entry, sizeof(entry));
}

static u32 get32(u64 address)
{
	u32 entry;

	memcpy(&entry, guest.ram + address, sizeof(entry));
	return entry;
}

static int walk(u64 linear, u32 access)
{
	gpa = error = ~0U;
	return gwalk(&guest.vcpu, linear, access, &gpa, &error);
}

static void paging(u64 cr4, u64 efer)
{
	guest_reset(efer & EFER_LMA ? 8 : 4);
	guest.vcpu.arch.cr0 |= X86_CR0_PG;
	guest.vcpu.arch.cr4 = cr4;
	guest.vcpu.arch.msr.efer = efer;
	guest.cr3 = ROOT;
}

/* Linear 0x8000000000 | 0x40201abc: index 1 in each table, entry by level as given. */
#define LINEAR	(1ULL << 39 | 1ULL << 30 | 1ULL << 21 | 1ULL << 12 | 0xabc)

static void long_mode(u64 pml4e, u64 pdpte, u64 pde, u64 pte)
{
	paging(X86_CR4_PAE, EFER_LMA | EFER_NX);
	set64(ROOT + 8, 0x3000 | pml4e);
	set64(0x3000 + 8, pdpte & PS ? pdpte : PD | pdpte);
	set64(PD + 8, pde & PS ? pde : PT | pde);
	set64(PT + 8, pte);
}

TEST(no_paging_takes_32_bits)
{
	guest_reset(4);
	CHECK_EQ(walk(0x123456789ULL, PFEC_WRITE | PFEC_USER), 0);
	CHECK_EQ(gpa, 0x23456789);
}

TEST(four_levels)
{
	long_mode(P | W | U, P | W | U, P | W | U, 0x7fffffe000ULL | P | W | U);
	CHECK_EQ(walk(LINEAR, PFEC_USER | PFEC_WRITE), 0);
	CHECK_EQ(gpa, 0x7fffffeabcULL);
	CHECK_EQ(get64(ROOT + 8), 0x3000 | P | W | U | A);
	CHECK_EQ(get64(PD + 8), PT | P | W | U | A);
	CHECK_EQ(get64(PT + 8), 0x7fffffe000ULL | P | W | U | A | D);
	/* the upper half: sign bits take no part */
	set64(ROOT + 0x800, 0x3000 | P | W);
	CHECK_EQ(walk((LINEAR & ~(1ULL << 39)) | 0xffff800000000000ULL, 0), 0);
	CHECK_EQ(gpa, 0x7fffffeabcULL);
}

TEST(five_levels)
{
	long_mode(P | W, P | W, P | W, 0x9000 | P | W);
	guest.vcpu.arch.cr4 |= X86_CR4_LA57;
	guest.cr3 = 0x6000;
	set64(0x6000 + 16, ROOT | P | W);
	CHECK_EQ(walk(LINEAR | 2ULL << 48, 0), 0);
	CHECK_EQ(gpa, 0x9abc);
	CHECK_EQ(get64(0x6000 + 16), ROOT | P | W | A);
	set64(0x6000 + 16, ROOT | P | W | PS);
	CHECK_EQ(walk(LINEAR | 2ULL << 48, 0), -EFAULT);
	CHECK_EQ(error, PFEC_PRESENT | PFEC_RESERVED);
}

TEST(large_pages)
{
	long_mode(P | W, P | W, 0x1234600000ULL | P | W | PS, 0);
	CHECK_EQ(walk(LINEAR, PFEC_WRITE), 0);
	CHECK_EQ(gpa, 0x1234601abcULL);
	CHECK_EQ(get64(PD + 8), 0x1234600000ULL | P | W | PS | A | D);
	set64(0x3000 + 8, 0x8040000000ULL | P | PS);
	CHECK_EQ(walk(LINEAR, 0), 0);
	CHECK_EQ(gpa, 0x8040201abcULL);
	CHECK_EQ(get64(0x3000 + 8), 0x8040000000ULL | P | PS | A);
}

TEST(not_present_at_each_level)
{
	unsigned int level;

	for (level = 0; level < 4; level++) {
		static const u64 entry[] = { ROOT + 8, 0x3000 + 8, PD + 8, PT + 8 };
		unsigned int i;

		long_mode(P | W | U, P | W | U, P | W | U, 0x9000 | P | W | U);
		set64(entry[level], get64(entry[level]) & ~P);
		CHECK_EQ(walk(LINEAR, PFEC_WRITE | PFEC_USER), -EFAULT);
		CHECK_EQ(error, PFEC_WRITE | PFEC_USER);
		for (i = 0; i < 4; i++)
			CHECK(!(get64(entry[i]) & A));
		CHECK_EQ(walk(LINEAR, PFEC_FETCH), -EFAULT);
		CHECK_EQ(error, PFEC_FETCH);
	}
}

TEST(reserved_bits)
{
	static const struct {
		u64 entry, bits, cr4, efer;
		bool fault;
	} rows[] = {
		{ ROOT + 8, PS, 0, EFER_NX, true },
		{ ROOT + 8, BIT_ULL(40), 0, EFER_NX, true },
		{ 0x3000 + 8, BIT_ULL(51), 0, EFER_NX, true },
		{ 0x3000 + 8, PS | BIT_ULL(13), 0, EFER_NX, true },
		{ 0x3000 + 8, PS | BIT_ULL(29), 0, EFER_NX, true },
		{ PD + 8, PS | BIT_ULL(13), 0, EFER_NX, true },
		{ PD + 8, PS | BIT_ULL(20), 0, EFER_NX, true },
		{ PD + 8, BIT_ULL(52), 0, EFER_NX, false },	/* ignored */
		{ PT + 8, BIT_ULL(62), 0, EFER_NX, false },
		{ PT + 8, PS, 0, EFER_NX, false },		/* PAT */
		{ PT + 8, BIT_ULL(39), 0, EFER_NX, false },
		{ PT + 8, BIT_ULL(40), 0, EFER_NX, true },
		{ PT + 8, XD, 0, EFER_NX, false },
		{ PT + 8, XD, 0, 0, true },
		{ ROOT + 8, XD, 0, 0, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		long_mode(P | W, P | W, P | W, P | W);
		/* a large page at 0: no other bit of the address */
		if (rows[i].bits & PS && rows[i].entry != ROOT + 8 && rows[i].entry != PT + 8)
			set64(rows[i].entry, P | W);
		set64(rows[i].entry, get64(rows[i].entry) | rows[i].bits);
		guest.vcpu.arch.msr.efer = EFER_LMA | rows[i].efer;
		CHECK_EQ(walk(LINEAR, PFEC_WRITE), rows[i].fault ? -EFAULT : 0);
		if (rows[i].fault)
			CHECK_EQ(error, PFEC_PRESENT | PFEC_RESERVED | PFEC_WRITE);
	}
}

/* SDM vol. 3 4.6.1, in its own order of sentences. */
static bool permitted(u64 upper, u64 leaf, u32 access, bool wp, bool smep, bool smap, bool ac)
{
	bool user_address = upper & leaf & U, writable = upper & leaf & W;
	bool executable = !((upper | leaf) & XD);

	if (!(access & PFEC_USER)) {
		if (access & PFEC_FETCH)
			return executable && (!user_address || !smep);
		if (user_address && smap && !ac)
			return false;
		if (access & PFEC_WRITE)
			return writable || !wp;
		return true;
	}
	if (!user_address)
		return false;
	if (access & PFEC_FETCH)
		return executable;
	return writable || !(access & PFEC_WRITE);
}

static void check_permission(u64 upper, u64 leaf, u32 access, unsigned int control)
{
	bool wp = control & 1, smep = control & 2, smap = control & 4, ac = control & 8;
	bool want = permitted(upper, leaf, access, wp, smep, smap, ac);

	long_mode(P | W | U, P | upper, P | W | U, 0x9000 | P | leaf);
	guest.vcpu.arch.cr0 = X86_CR0_PG | X86_CR0_PE | (wp ? X86_CR0_WP : 0);
	guest.vcpu.arch.cr4 |= (smep ? X86_CR4_SMEP : 0) | (smap ? X86_CR4_SMAP : 0);
	guest.rflags |= ac ? X86_EFLAGS_AC : 0;
	CHECK_EQ(walk(LINEAR, access), want ? 0 : -EFAULT);
	CHECK_EQ(!!(get64(PT + 8) & A), want);
	CHECK_EQ(!!(get64(PT + 8) & D), want && access & PFEC_WRITE);
	if (!want)
		CHECK_EQ(error, access | PFEC_PRESENT);
}

TEST(permissions)
{
	static const u32 accesses[] = {
		0, PFEC_WRITE, PFEC_FETCH, PFEC_USER, PFEC_USER | PFEC_WRITE, PFEC_USER | PFEC_FETCH
	};
	unsigned int bits, control, i;

	for (bits = 0; bits < 64; bits++) {
		u64 upper = (bits & 1 ? W : 0) | (bits & 2 ? U : 0) | (bits & 4 ? XD : 0);
		u64 leaf = (bits & 8 ? W : 0) | (bits & 16 ? U : 0) | (bits & 32 ? XD : 0);

		for (control = 0; control < 16; control++)
			for (i = 0; i < ARRAY_SIZE(accesses); i++)
				check_permission(upper, leaf, accesses[i], control);
	}
}

TEST(fetch_bit_only_where_fetches_can_be_forbidden)
{
	long_mode(P, P, P, 0);
	guest.vcpu.arch.msr.efer = EFER_LMA;
	CHECK_EQ(walk(LINEAR, PFEC_FETCH), -EFAULT);
	CHECK_EQ(error, 0);
	guest.vcpu.arch.cr4 |= X86_CR4_SMEP;
	CHECK_EQ(walk(LINEAR, PFEC_FETCH), -EFAULT);
	CHECK_EQ(error, PFEC_FETCH);
}

TEST(pae)
{
	paging(X86_CR4_PAE, EFER_NX);
	guest.cr3 = ROOT | 0xfe0;			/* 32-byte aligned, no page */
	set64(ROOT + 0xfe0 + 24, PD | P);		/* linear 0xc0000000 …: no rights in it */
	set64(PD + 8, PT | P | W | U);
	set64(PT + 8, 0xf000000000ULL | P | W | U);
	CHECK_EQ(walk(0xc0201abc, PFEC_WRITE | PFEC_USER), 0);
	CHECK_EQ(gpa, 0xf000000abcULL);
	CHECK_EQ(get64(ROOT + 0xfe0 + 24), PD | P);	/* PDPTEs have no flags */
	CHECK_EQ(get64(PD + 8), PT | P | W | U | A);
	CHECK_EQ(get64(PT + 8), 0xf000000000ULL | P | W | U | A | D);
	CHECK_EQ(walk(0x1c0201abcULL, 0), 0);		/* 32 bits count */
	set64(PT + 8, BIT_ULL(62) | P);
	CHECK_EQ(walk(0xc0201abc, 0), -EFAULT);
	CHECK_EQ(error, PFEC_PRESENT | PFEC_RESERVED);
	set64(PT + 8, XD | P);
	CHECK_EQ(walk(0xc0201abc, PFEC_FETCH), -EFAULT);
	CHECK_EQ(error, PFEC_PRESENT | PFEC_FETCH);
	set64(PD + 8, 0xe000000000ULL | P | PS);
	CHECK_EQ(walk(0xc03fffff, 0), 0);
	CHECK_EQ(gpa, 0xe0001fffffULL);
	CHECK_EQ(walk(0x80000000, 0), -EFAULT);
	CHECK_EQ(error, 0);
}

TEST(two_levels)
{
	paging(0, 0);
	guest.cr3 = ROOT | 0x18;			/* PCD, PWT */
	set32(ROOT + 4 * 0x301, PT | P | W | U);
	set32(PT + 4 * 0x123, 0xfee00000 | P | W | U);
	CHECK_EQ(walk(0xc0523abc, PFEC_WRITE | PFEC_USER), 0);
	CHECK_EQ(gpa, 0xfee00abc);
	CHECK_EQ(get32(ROOT + 4 * 0x301), PT | P | W | U | A);
	CHECK_EQ(get32(PT + 4 * 0x123), 0xfee00000 | P | W | U | A | D);
	CHECK_EQ(walk(0xc0523abc, PFEC_FETCH), 0);	/* nothing forbids it */
	set32(PT + 4 * 0x123, 0xfee00000 | P);
	CHECK_EQ(walk(0xc0523abc, PFEC_WRITE), -EFAULT);
	CHECK_EQ(error, PFEC_PRESENT | PFEC_WRITE);
}

TEST(four_mib_pages)
{
	paging(X86_CR4_PSE, 0);
	set32(ROOT + 4 * 0x301, 0xfec00000 | P | W | PS);
	CHECK_EQ(walk(0xc07fffff, PFEC_WRITE), 0);
	CHECK_EQ(gpa, 0xfeffffff);
	CHECK_EQ(get32(ROOT + 4 * 0x301), 0xfec00000 | P | W | PS | A | D);
	set32(ROOT + 4 * 0x301, 0xfec00000 | 0x81 << 13 | P | PS);	/* PSE-36 */
	CHECK_EQ(walk(0xc0400000, 0), 0);
	CHECK_EQ(gpa, 0x81fec00000ULL);
	set32(ROOT + 4 * 0x301, 0xfec00000 | BIT(21) | P | PS);
	CHECK_EQ(walk(0xc0400000, 0), -EFAULT);
	CHECK_EQ(error, PFEC_PRESENT | PFEC_RESERVED);
	guest.maxphyaddr = 36;
	set32(ROOT + 4 * 0x301, 0xfec00000 | BIT(17) | P | PS);
	CHECK_EQ(walk(0xc0400000, 0), -EFAULT);
	set32(ROOT + 4 * 0x301, 0xfec00000 | BIT(16) | P | PS);
	CHECK_EQ(walk(0xc0400000, 0), 0);
	CHECK_EQ(gpa, 0x8fec00000ULL);
	/* without CR4.PSE the bit is ignored and the entry leads to a table */
	guest.vcpu.arch.cr4 = 0;
	set32(ROOT + 4 * 0x301, PT | P | PS);
	set32(PT, 0x7000 | P);
	CHECK_EQ(walk(0xc0400000, 0), 0);
	CHECK_EQ(gpa, 0x7000);
}

TEST(tables_outside_memory_read_as_ones)
{
	long_mode(P, P, P, P);
	guest.cr3 = 0x80000000;
	CHECK_EQ(walk(LINEAR, 0), -EFAULT);
	CHECK_EQ(error, PFEC_PRESENT | PFEC_RESERVED);
}

TEST(tables_in_rom_keep_their_flags)
{
	u64 entry = 0x9000 | P | W;

	long_mode(P | W, P | W, P | W, 0);
	set64(PD + 8, ROM_BASE | P | W);
	memcpy(guest.rom + 8, &entry, sizeof(entry));
	CHECK_EQ(walk(LINEAR, PFEC_WRITE), 0);
	CHECK_EQ(gpa, 0x9abc);
	CHECK(!memcmp(guest.rom + 8, &entry, sizeof(entry)));
}

static void remap(u64 address)
{
	if (address == PT + 8 && get64(PT + 8) == (0x9000 | P | W))
		set64(PT + 8, 0xa000 | P | W);
}

static void unmap(u64 address)
{
	if (address == PT + 8)
		set64(PT + 8, 0);
}

static void flap(u64 address)
{
	if (address == PT + 8)
		set64(PT + 8, get64(PT + 8) ^ 0x8000);
}

TEST(walk_starts_again_when_an_entry_changes)
{
	long_mode(P | W, P | W, P | W, 0x9000 | P | W);
	guest.before_cmpxchg = remap;
	CHECK_EQ(walk(LINEAR, PFEC_WRITE), 0);
	CHECK_EQ(gpa, 0xaabc);
	CHECK_EQ(get64(PT + 8), 0xa000 | P | W | A | D);

	long_mode(P | W, P | W, P | W, 0x9000 | P | W);
	guest.before_cmpxchg = unmap;
	CHECK_EQ(walk(LINEAR, PFEC_WRITE), -EFAULT);
	CHECK_EQ(error, PFEC_WRITE);

	/* for ever: it ends all the same */
	long_mode(P | W, P | W, P | W, 0x9000 | P | W);
	guest.before_cmpxchg = flap;
	CHECK_EQ(walk(LINEAR, PFEC_WRITE), 0);
}

/* ---- segments */

static u64 linear;

static unsigned int segment(unsigned int seg, u64 offset, unsigned int len, bool write)
{
	linear = ~0ULL;
	return gwalk_linear(&guest.vcpu, seg, offset, len, write, &linear);
}

TEST(flat_64_bit_segments)
{
	guest_reset(8);
	guest.seg[SEG_DS].base = guest.seg[SEG_FS].base = 0x1000;
	guest.seg[SEG_DS].limit = guest.seg[SEG_FS].limit = 0;
	CHECK_EQ(segment(SEG_DS, 0xffff800000000000ULL, 8, true), 0);
	CHECK_EQ(linear, 0xffff800000000000ULL);
	CHECK_EQ(segment(SEG_FS, 0x10, 8, true), 0);
	CHECK_EQ(linear, 0x1010);
	CHECK_EQ(segment(SEG_DS, 0x7ffffffffff8ULL, 8, false), 0);
	CHECK_EQ(segment(SEG_DS, 0x7ffffffffff9ULL, 8, false), X86_XCPT_GP);
	CHECK_EQ(segment(SEG_SS, 0x800000000000ULL, 1, false), X86_XCPT_SS);
	guest.vcpu.arch.cr4 = X86_CR4_LA57;
	CHECK_EQ(segment(SEG_SS, 0x800000000000ULL, 1, false), 0);
	CHECK_EQ(segment(SEG_SS, 1ULL << 56, 1, false), X86_XCPT_SS);
}

TEST(limits)
{
	guest_reset(4);
	guest.seg[SEG_DS].base = 0xfffff000;
	guest.seg[SEG_DS].limit = 0xffff;
	CHECK_EQ(segment(SEG_DS, 0xfffc, 4, true), 0);
	CHECK_EQ(linear, 0xeffc);
	CHECK_EQ(segment(SEG_DS, 0xfffd, 4, true), X86_XCPT_GP);
	guest.seg[SEG_SS] = (struct x86_segment){ .limit = 0xfff, .rights = 0x4097 };	/* down */
	CHECK_EQ(segment(SEG_SS, 0xfff, 1, true), X86_XCPT_SS);
	CHECK_EQ(segment(SEG_SS, 0x1000, 4, true), 0);
	CHECK_EQ(segment(SEG_SS, 0xffffffff, 1, true), 0);
	CHECK_EQ(segment(SEG_SS, 0xffffffff, 2, true), X86_XCPT_SS);
	guest.seg[SEG_SS].rights = 0x0097;
	CHECK_EQ(segment(SEG_SS, 0xffff, 1, true), 0);
	CHECK_EQ(segment(SEG_SS, 0x10000, 1, true), X86_XCPT_SS);
}

TEST(types)
{
	guest_reset(4);
	guest.seg[SEG_DS].rights = 0xc091;			/* read-only */
	CHECK_EQ(segment(SEG_DS, 0, 4, false), 0);
	CHECK_EQ(segment(SEG_DS, 0, 4, true), X86_XCPT_GP);
	CHECK_EQ(segment(SEG_CS, 0, 4, false), 0);
	CHECK_EQ(segment(SEG_CS, 0, 4, true), X86_XCPT_GP);
	guest.seg[SEG_CS].rights = 0xc099;			/* execute-only */
	CHECK_EQ(segment(SEG_CS, 0, 4, false), X86_XCPT_GP);
	guest.seg[SEG_ES].unusable = true;
	CHECK_EQ(segment(SEG_ES, 0, 4, false), X86_XCPT_GP);
	/* real mode writes through CS */
	guest.vcpu.arch.cr0 = 0;
	CHECK_EQ(segment(SEG_CS, 0, 4, true), 0);
	guest.vcpu.arch.cr0 = X86_CR0_PE;
	guest.rflags |= X86_EFLAGS_VM;
	CHECK_EQ(segment(SEG_CS, 0, 4, true), 0);
}
