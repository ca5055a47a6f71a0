// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves that were decoded before: what they find, and what makes them forget.
 *
 * LINK: kmod/arch/x86/emulate.c kmod/arch/x86/emulate_result.c kmod/arch/x86/decode.c kmod/arch/x86/compute.c kmod/arch/x86/gwalk.c kmod/arch/x86/move.c kmod/arch/x86/insn_cache.c
 * CFLAGS: -Ikmod/arch/x86 -Iuapi/x86
 */
#include <linux/printk.h>

#include "unit.h"
#include "fake/x86guest/device.h"
#include "insn_cache.h"
#include "move.h"

#define KNOWN(rip)	x86_insn_cache_find(&guest.vcpu, rip, guest.cr3)

static struct qvm_access access;

/* As the processor reports it: rbx points there. */
static const struct insn *decode(u64 gva, bool write)
{
	const struct insn *insn = KNOWN(guest.rip);

	if (!insn || insn->to_mem != write)
		return NULL;
	return x86_move_decode(&guest.vcpu, insn, guest.rip, gva, gva, &access) ? insn : NULL;
}

/* One emulation of what is at CODE, so that it is known; RIP is there again. */
static void learn(void)
{
	GPR(RBX) = DEV;
	CHECK_EQ(mmio(DEV), EXIT_RESUME);
	guest.rip = CODE;
}

static void learn_store(void)
{
	reset(8);
	four_levels();
	INSN(0x89, 0x43, 0x08);			/* mov [rbx + 8], eax */
	learn();
}

TEST(a_store_is_decoded_from_the_second_time_on)
{
	reset(8);
	four_levels();
	INSN(0x89, 0x43, 0x08);
	GPR(RBX) = DEV - 8;
	GPR(RAX) = 0xfedcba9876543210ULL;
	CHECK(!decode(DEV, true));
	learn();
	CHECK(decode(DEV + 8, true));
	CHECK_EQ(access.gpa, DEV + 8);
	CHECK_EQ(access.len, 4);
	CHECK_EQ(access.data, 0x76543210);
	CHECK(access.is_write && !access.is_port);
	/* the address is another one now, or the direction */
	CHECK(!decode(DEV, true));
	CHECK(!decode(DEV + 8, false));
}

TEST(it_is_made_as_the_emulator_makes_it)
{
	static const struct {
		u8 bytes[5], count;
		u64 rax;
	} rows[] = {
		{ { 0x8b, 0x03 }, 2, 0x44332211 },			/* mov eax, [rbx] */
		{ { 0x8a, 0x23 }, 2, 0xfedcba9876541110ULL },		/* mov ah, [rbx] */
		{ { 0x0f, 0xb6, 0x03 }, 3, 0x11 },			/* movzx eax, byte [rbx] */
		{ { 0x48, 0x0f, 0xbf, 0x03 }, 4, 0x2211 },		/* movsx rax, word [rbx] */
		{ { 0x66, 0x8b, 0x03 }, 3, 0xfedcba9876542211ULL },	/* mov ax, [rbx] */
	};
	unsigned int i, way;

	for (i = 0; i < ARRAY_SIZE(rows) * 2; i++) {
		const struct insn *insn;

		way = i % 2;
		reset(8);
		four_levels();
		memcpy(guest.ram + CODE, rows[i / 2].bytes, rows[i / 2].count);
		guest.rip = CODE;
		learn();
		GPR(RAX) = 0xfedcba9876543210ULL;
		insn = decode(DEV, false);
		CHECK(insn);
		if (!insn)
			continue;
		if (way)
			x86_move_load(&guest.vcpu, insn, dev.read_value);
		else
			CHECK_EQ(x86_move(&guest.vcpu, insn, &access, guest.rip + insn->length), EXIT_RESUME);
		CHECK_EQ(GPR(RAX), rows[i / 2].rax);
		CHECK_EQ(guest.rip, way ? CODE : CODE + rows[i / 2].count);
	}
}

TEST(it_waits_for_user_space)
{
	const struct insn *insn;

	reset(8);
	four_levels();
	INSN(0x8b, 0x03);
	learn();
	dev.to_user = true;
	insn = decode(DEV, false);
	CHECK(insn);
	CHECK_EQ(x86_move(&guest.vcpu, insn, &access, CODE + 2), EXIT_TO_USER);
	CHECK_EQ(guest.rip, CODE);
	CHECK_EQ(answer(EXIT_TO_USER), EXIT_RESUME);
	CHECK_EQ(GPR(RAX), 0x44332211);
	CHECK_EQ(guest.rip, CODE + 2);
}

/* What was refused leaves nothing behind: the next completion is the emulator's. */
TEST(a_refusal_ends_it)
{
	const struct insn *insn;

	learn_store();
	dev.refuse = true;
	insn = decode(DEV + 8, true);
	CHECK(insn);
	CHECK_EQ(x86_move(&guest.vcpu, insn, &access, CODE + 3), EXIT_RESUME);
	CHECK_EQ(guest.vector, X86_XCPT_GP);
	CHECK_EQ(guest.rip, CODE);
	dev.refuse = false;
	INSN(0x48, 0xff, 0xc0);
	INSN(0x81, 0x0b, 0x01, 0, 0, 0);	/* or dword [rbx], 1: two accesses */
	dev.read_value = 0x10;
	CHECK_EQ(mmio(DEV), EXIT_RESUME);
	CHECK_EQ(dev.log[dev.count - 1].data, 0x11);
	CHECK_EQ(guest.rip, CODE + 6);
}

TEST(other_code_is_seen)
{
	learn_store();
	CHECK(KNOWN(CODE));
	guest.ram[CODE + 2] = 0x10;		/* [rbx + 16] */
	CHECK(!KNOWN(CODE));
	guest.ram[CODE + 2] = 0x08;
	CHECK(KNOWN(CODE));
	guest.ram[CODE + 3] ^= 0xff;		/* behind it */
	CHECK(KNOWN(CODE));
}

TEST(other_tables_are_seen)
{
	u64 *pml4 = (u64 *)(guest.ram + 0x8000);
	unsigned int i;

	learn_store();
	/* each of the four entries, to the same code or not */
	for (i = 0; i < 4; i++) {
		u64 *entry = i == 3 ? pte(CODE) : &pml4[512 * i];

		CHECK(KNOWN(CODE));
		*entry ^= 1ULL << 62;
		CHECK(!KNOWN(CODE));
		*entry ^= 1ULL << 62;
	}
	*pte(CODE) = 0x3000 | 0x27;
	memcpy(guest.ram + 0x3000, guest.ram + CODE, 16);
	CHECK(!KNOWN(CODE));
	CHECK(!x86_insn_cache_find(&guest.vcpu, CODE, guest.cr3 + 4096));
	CHECK(!KNOWN(CODE + 1));
}

/* Stage 2 may have another page there. */
TEST(a_flush_of_stage_2_is_seen)
{
	learn_store();
	CHECK(KNOWN(CODE));
	atomic64_inc(&guest.vm.arch.s2_generation);
	CHECK(!KNOWN(CODE));
	learn();
	CHECK(KNOWN(CODE));
}

/* RSP is in the hardware; two operands, prefixes, strings, the end of a page: the emulator's. */
TEST(what_is_not_kept)
{
	static const u8 rows[][8] = {
		{ 0x89, 0x23 },				/* mov [rbx], esp */
		{ 0x8b, 0x23 },				/* mov esp, [rbx] */
		{ 0x89, 0x04, 0x24 },			/* mov [rsp], eax */
		{ 0x65, 0x89, 0x03 },			/* mov gs:[rbx], eax */
		{ 0x67, 0x89, 0x03 },			/* mov [ebx], eax */
		{ 0x09, 0x03 },				/* or [rbx], eax */
		{ 0xaa },				/* stosb */
		{ 0x87, 0x03 },				/* xchg [rbx], eax */
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		reset(8);
		four_levels();
		memcpy(guest.ram + CODE, rows[i], sizeof(rows[i]));
		guest.rip = CODE;
		GPR(RSP) = DEV;
		GPR(RDI) = DEV;
		learn();
		CHECK_EQ(dev.count ? 1 : 0, 1);
		CHECK(!KNOWN(CODE));
	}
	reset(8);
	four_levels();
	memcpy(guest.ram + CODE + 4096 - 2, "\x89\x03", 2);
	guest.rip = CODE + 4096 - 2;
	GPR(RBX) = DEV;
	CHECK_EQ(mmio(DEV), EXIT_RESUME);
	CHECK(!KNOWN(CODE + 4096 - 2));
	/* AH is not RSP */
	reset(8);
	four_levels();
	INSN(0x88, 0x23);
	learn();
	CHECK(KNOWN(CODE));
}

TEST(an_access_within_its_page)
{
	reset(8);
	four_levels();
	INSN(0x89, 0x03);
	learn();
	GPR(RBX) = DEV + 4096 - 4;
	CHECK(decode(DEV + 4096 - 4, true));
	GPR(RBX) = DEV + 4096 - 3;
	CHECK(!decode(DEV + 4096 - 3, true));
}

TEST(ports)
{
	const struct insn *insn;

	reset(8);
	GPR(RAX) = 0xfedcba9876543210ULL;
	insn = x86_move_io(&guest.vcpu, 0x3f8, 2, false, &access);
	CHECK_EQ(access.gpa, 0x3f8);
	CHECK_EQ(access.len, 2);
	CHECK_EQ(access.data, 0x3210);
	CHECK(access.is_port && access.is_write && insn->to_mem);
	insn = x86_move_io(&guest.vcpu, 0x3f8, 4, true, &access);
	CHECK(access.is_port && !access.is_write && access.data == 0);
	x86_move_load(&guest.vcpu, insn, ~0ULL);
	CHECK_EQ(GPR(RAX), 0xffffffff);
}
