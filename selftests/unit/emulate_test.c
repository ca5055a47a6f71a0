// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions on device memory: which accesses they make, what they leave behind.
 *
 * LINK: kmod/arch/x86/emulate.c kmod/arch/x86/emulate_result.c kmod/arch/x86/decode.c kmod/arch/x86/compute.c kmod/arch/x86/gwalk.c kmod/arch/x86/move.c kmod/arch/x86/insn_cache.c
 * CFLAGS: -Ikmod/arch/x86 -Iuapi/x86
 */
#include <linux/printk.h>

#include "unit.h"
#include "fake/x86guest/device.h"
#include "gwalk.h"

/* ---- one operand */

TEST(load_follows_the_rules_of_register_writes)
{
	static const struct {
		u8 prefix, len;
		u64 want;
	} rows[] = {
		{ 0x48, 8, 0x8877665544332211ULL }, { 0x90, 4, 0x44332211ULL },
		{ 0x66, 2, 0xfedcba9876542211ULL },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u8 *code = guest.ram + CODE;

		reset(8);
		GPR(RBX) = DEV + 8;
		GPR(RAX) = 0xfedcba9876543210ULL;
		if (rows[i].prefix != 0x90)
			*code++ = rows[i].prefix;
		*code++ = 0x8b;			/* mov rax, [rbx] */
		*code++ = 0x03;
		CHECK_EQ(mmio(DEV + 8), EXIT_RESUME);
		CHECK_EQ(dev.count, 1);
		check_access(0, DEV + 8, rows[i].len, false, 0);
		CHECK_EQ(GPR(RAX), rows[i].want);
		CHECK_EQ(guest.rip, code - guest.ram);
	}
	reset(8);
	INSN(0x8a, 0x23);			/* mov ah, [rbx] */
	GPR(RBX) = DEV;
	GPR(RAX) = ~0ULL;
	mmio(DEV);
	CHECK_EQ(GPR(RAX), 0xffffffffffff11ffULL);
}

TEST(store_from_register_and_immediate)
{
	reset(8);
	GPR(RBX) = DEV;
	GPR(RAX) = 0xfedcba9876543210ULL;
	INSN(0x88, 0x63, 0x01);			/* mov [rbx + 1], ah */
	mmio(DEV + 1);
	check_access(0, DEV + 1, 1, true, 0x32);
	INSN(0x48, 0xc7, 0x03, 0, 0, 0, 0x80);	/* mov qword [rbx], -0x80000000 */
	mmio(DEV);
	check_access(1, DEV, 8, true, 0xffffffff80000000ULL);
	CHECK_EQ(dev.count, 2);
	CHECK_EQ(guest.rip, CODE + 7);
}

TEST(extending_loads)
{
	reset(8);
	GPR(RBX) = DEV;
	dev.read_value = 0x80;
	INSN(0x0f, 0xb6, 0x03);			/* movzx eax, byte [rbx] */
	GPR(RAX) = ~0ULL;
	mmio(DEV);
	CHECK_EQ(GPR(RAX), 0x80);
	INSN(0x48, 0x0f, 0xbe, 0x03);		/* movsx rax, byte [rbx] */
	mmio(DEV);
	CHECK_EQ(GPR(RAX), -0x80LL);
	INSN(0x66, 0x0f, 0xbe, 0x03);		/* movsx ax, byte [rbx] */
	GPR(RAX) = 0;
	mmio(DEV);
	CHECK_EQ(GPR(RAX), 0xff80);
	dev.read_value = 0x80000000;
	INSN(0x48, 0x63, 0x03);			/* movsxd rax, dword [rbx] */
	mmio(DEV);
	CHECK_EQ(GPR(RAX), -0x80000000LL);
}

TEST(read_modify_write_goes_through_user_space_twice)
{
	reset(8);
	dev.to_user = true;
	dev.read_value = 0xf0;
	GPR(RBX) = DEV;
	INSN(0xf0, 0x83, 0x0b, 0x01);		/* lock or dword [rbx], 1 */
	CHECK_EQ(mmio(DEV), EXIT_RESUME);
	CHECK_EQ(dev.count, 2);
	check_access(0, DEV, 4, false, 0);
	check_access(1, DEV, 4, true, 0xf1);
	CHECK_EQ(guest.rip, CODE + 4);
	CHECK_EQ(guest.rflags & FLAGS, 0);
}

TEST(compare_and_test_only_read)
{
	reset(8);
	GPR(RBX) = DEV;
	dev.read_value = 5;
	INSN(0x80, 0x3b, 0x05);			/* cmp byte [rbx], 5 */
	mmio(DEV);
	CHECK_EQ(guest.rflags & FLAGS, 0x44);
	INSN(0xf6, 0x03, 0x02);			/* test byte [rbx], 2 */
	mmio(DEV);
	CHECK_EQ(guest.rflags & FLAGS, 0x44);
	GPR(RAX) = 4;
	INSN(0x3b, 0x03);			/* cmp eax, [rbx]: borrows */
	mmio(DEV);
	CHECK_EQ(guest.rflags & FLAGS, 0x95);
	CHECK_EQ(GPR(RAX), 4);
	CHECK_EQ(dev.count, 3);
}

TEST(xchg_reads_then_writes)
{
	reset(8);
	GPR(RBX) = DEV;
	GPR(RAX) = 0xffffffff00000007ULL;
	INSN(0x87, 0x03);
	mmio(DEV);
	check_access(0, DEV, 4, false, 0);
	check_access(1, DEV, 4, true, 7);
	CHECK_EQ(GPR(RAX), 0x44332211);
}

TEST(bit_strings_reach_around_the_address)
{
	reset(8);
	GPR(RBX) = DEV + 0x100;
	GPR(RAX) = -33LL;
	INSN(0x0f, 0xab, 0x03);			/* bts [rbx], eax: bit 31 of the dword at -8 */
	mmio(DEV);
	check_access(0, DEV + 0xf8, 4, false, 0);
	check_access(1, DEV + 0xf8, 4, true, 0xc4332211);
	CHECK_EQ(guest.rflags & 1, 0);
	INSN(0x0f, 0xa3, 0x03);			/* bt only reads */
	mmio(DEV);
	CHECK_EQ(dev.count, 3);
}

/* ---- addresses */

TEST(rip_relative_counts_from_the_next_instruction)
{
	reset(8);
	INSN(0xc7, 0x05, 0, 0, 0, 0x70, 1, 0, 0, 0);	/* mov dword [rip + 0x70000000], 1 */
	mmio(0);
	check_access(0, CODE + 10 + 0x70000000, 4, true, 1);
}

TEST(a16_addresses_wrap)
{
	reset(2);
	guest.vcpu.arch.cr0 = 0;
	guest.seg[SEG_DS].base = 0xb8000000;
	guest.seg[SEG_DS].limit = 0xffff;
	GPR(RBX) = 0xffff8000;
	GPR(RSI) = 0x9000;
	INSN(0x8a, 0x00);			/* mov al, [bx + si] */
	mmio(0);
	check_access(0, 0xb8001000, 1, false, 0);
	CHECK_EQ(guest.rip, CODE + 2);
}

TEST(code_is_at_cs_base)
{
	reset(2);
	guest.vcpu.arch.cr0 = 0;
	guest.seg[SEG_CS].base = 0x2000;
	INSN(0x8a, 0x07);			/* mov al, [bx] */
	guest.rip = CODE - 0x2000;		/* IP wraps in the linear address space */
	guest.rip &= 0xffffffff;
	guest.seg[SEG_DS].base = DEV;
	mmio(0);
	check_access(0, DEV, 1, false, 0);
	CHECK_EQ(guest.rip, 0xfffff002);
}

TEST(segment_faults_come_before_accesses)
{
	reset(4);
	guest.seg[SEG_DS].limit = 0xfff;
	GPR(RBX) = 0xffd;
	INSN(0x8b, 0x03);
	CHECK_EQ(mmio(0), EXIT_RESUME);
	CHECK_EQ(guest.vector, X86_XCPT_GP);
	CHECK_EQ(guest.error, 0);
	CHECK_EQ(dev.count, 0);
	CHECK_EQ(guest.rip, CODE);
	guest.seg[SEG_SS].limit = 0xfff;
	GPR(RSP) = 0x1000;
	INSN(0x8b, 0x04, 0x24);			/* mov eax, [esp] */
	mmio(0);
	CHECK_EQ(guest.vector, X86_XCPT_SS);
}

TEST(operand_across_pages_is_split)
{
	u8 mem[32];

	reset(8);
	four_levels();
	*pte(0x10000) = DEV | 7;
	*pte(0x11000) = (DEV + 0x5000) | 7;
	GPR(RBX) = 0x10ffd;
	GPR(RAX) = 0x8877665544332211ULL;
	INSN(0x48, 0x89, 0x03);			/* 3 bytes in the first page, 5 in the second */
	dev.to_user = true;
	CHECK_EQ(mmio(0), EXIT_RESUME);
	CHECK_EQ(dev.count, 4);
	check_access(0, DEV + 0xffd, 2, true, 0x2211);
	check_access(1, DEV + 0xfff, 1, true, 0x33);
	check_access(2, DEV + 0x5000, 4, true, 0x77665544);
	check_access(3, DEV + 0x5004, 1, true, 0x88);
	/* and one with RAM in the second */
	*pte(0x11000) = 0x20000 | 7;
	guest.rip = CODE;
	memset(mem, 0, sizeof(mem));
	mmio(0);
	CHECK_EQ(dev.count, 6);
	CHECK(!memcmp(guest.ram + 0x20000, "\x44\x55\x66\x77\x88\0", 6));
	INSN(0x48, 0x8b, 0x0b);			/* mov rcx, [rbx] */
	dev.read_value = 0x2211;
	mmio(0);
	CHECK_EQ(GPR(RCX), 0x8877665544112211ULL);
}

TEST(page_fault_of_the_second_page_comes_before_accesses)
{
	reset(8);
	four_levels();
	guest.cpl = 3;
	*pte(0x10000) = DEV | 7;
	*pte(0x11000) = 0;
	GPR(RBX) = 0x10ffe;
	INSN(0x83, 0x03, 0x01);			/* add dword [rbx], 1 */
	CHECK_EQ(mmio(0), EXIT_RESUME);
	CHECK_EQ(dev.count, 0);
	CHECK_EQ(guest.vector, X86_XCPT_PF);
	CHECK_EQ(guest.error, PFEC_WRITE | PFEC_USER);
	CHECK_EQ(guest.fault_address, 0x11000);
	CHECK_EQ(guest.rip, CODE);
}

TEST(known_translation_is_used_for_what_it_permits)
{
	struct x86_mmio exit = { .gpa = DEV + 0x123, .gva = 0x10123, .has_gva = true };

	reset(8);
	four_levels();
	*pte(0x10000) = 0;			/* changed since: the CPU's answer stands */
	GPR(RBX) = 0x10120;
	INSN(0x8b, 0x03);
	x86_emulate_mmio(&guest.vcpu, &exit);
	check_access(0, DEV + 0x120, 4, false, 0);
	/* a write by an instruction that was a read when the CPU ran it */
	*pte(0x10000) = DEV | 5;
	INSN(0x89, 0x03);
	x86_emulate_mmio(&guest.vcpu, &exit);
	CHECK_EQ(dev.count, 1);
	CHECK_EQ(guest.vector, X86_XCPT_PF);
	CHECK_EQ(guest.error, PFEC_PRESENT | PFEC_WRITE);
	exit.is_write = true;
	x86_emulate_mmio(&guest.vcpu, &exit);
	CHECK_EQ(dev.count, 2);
}

TEST(what_touches_no_device_is_left_to_the_cpu)
{
	struct x86_mmio exit = { .gpa = DEV, .gva = DEV, .has_gva = true };

	reset(8);
	GPR(RBX) = 0x3000;
	GPR(RAX) = 1;
	INSN(0xf0, 0x01, 0x03);			/* lock add [rbx], eax */
	CHECK_EQ(x86_emulate_mmio(&guest.vcpu, &exit), EXIT_RESUME);
	CHECK_EQ(guest.rip, CODE);
	CHECK_EQ(guest.ram[0x3000], 0);
	CHECK_EQ(guest.vector, -1);
}

/* ---- bytes */

TEST(instruction_across_pages)
{
	static const u8 code[] = { 0xc7, 0x03, 1, 2, 3, 4 };

	reset(8);
	four_levels();
	memcpy(guest.ram + 0x1ffd, code, 3);
	memcpy(guest.ram + 0x30000, code + 3, 3);
	*pte(0x2000) = 0x30000 | 7;
	guest.rip = 0x1ffd;
	GPR(RBX) = DEV;
	CHECK_EQ(mmio(DEV), EXIT_RESUME);
	check_access(0, DEV, 4, true, 0x04030201);
	CHECK_EQ(guest.rip, 0x2003);
	/* it ends before the page that is not there */
	*pte(0x2000) = 0;
	memcpy(guest.ram + 0x1ffe, "\x89\x03", 2);
	guest.rip = 0x1ffe;
	mmio(DEV);
	CHECK_EQ(guest.rip, 0x2000);
	CHECK_EQ(guest.vector, -1);
	/* it does not */
	guest.rip = 0x1ffd;
	guest.ram[0x1ffd] = 0xc7;
	guest.ram[0x1ffe] = 0x03;
	mmio(DEV);
	CHECK_EQ(guest.vector, X86_XCPT_PF);
	CHECK_EQ(guest.fault_address, 0x2000);
	CHECK_EQ(guest.error, PFEC_FETCH);
	CHECK_EQ(guest.rip, 0x1ffd);
}

TEST(unknown_instruction)
{
	unsigned long said = fake_printk_count;

	reset(8);
	INSN(0x0f, 0x28, 0x03);			/* movaps xmm0, [rbx] */
	CHECK_EQ(mmio(DEV), EXIT_RESUME);
	CHECK_EQ(guest.vector, X86_XCPT_UD);
	CHECK_EQ(guest.error, -1);
	CHECK_EQ(guest.rip, CODE);
	mmio(DEV);
	CHECK_EQ(fake_printk_count, said + 1);
	guest.vm.policy.instruction = QVM_POLICY_ABORT;
	CHECK_EQ(mmio(DEV), EXIT_FATAL);
	CHECK_EQ(guest.fatal, QVM_FATAL_POLICY);
}

TEST(code_outside_memory)
{
	reset(8);
	guest.rip = DEV;
	CHECK_EQ(mmio(DEV), EXIT_RESUME);
	CHECK_EQ(guest.vector, X86_XCPT_UD);
}

/* ---- refusals, chips, ROM */

TEST(refused_access_changes_nothing)
{
	reset(8);
	dev.refuse = true;
	GPR(RBX) = DEV;
	GPR(RAX) = 1;
	INSN(0x01, 0x03);
	CHECK_EQ(mmio(DEV), EXIT_RESUME);
	CHECK_EQ(dev.count, 1);
	CHECK_EQ(guest.vector, X86_XCPT_GP);
	CHECK_EQ(guest.rip, CODE);
	CHECK_EQ(guest.rflags, 2);
}

TEST(local_apic)
{
	reset(8);
	GPR(RBX) = LAPIC + 0x80;
	GPR(RAX) = 0x20;
	INSN(0x89, 0x03);
	mmio(LAPIC + 0x80);
	CHECK_EQ(dev.lapic_writes, 1);
	CHECK_EQ(dev.lapic_offset, 0x80);
	CHECK_EQ(dev.lapic_value, 0x20);
	INSN(0x83, 0x0b, 0x01);			/* or dword [rbx], 1 */
	mmio(LAPIC + 0x80);
	CHECK_EQ(dev.lapic_reads, 1);
	CHECK_EQ(dev.lapic_value, 0x12345679);
	CHECK_EQ(guest.vcpu.stats.mmio_kernel, 3);
	INSN(0x88, 0x03);			/* no byte writes */
	mmio(LAPIC + 0x80);
	CHECK_EQ(dev.lapic_writes, 2);
	CHECK_EQ(dev.count, 0);
}

TEST(write_to_rom_is_an_access)
{
	reset(8);
	GPR(RBX) = ROM_BASE;
	guest.rom[0] = 0x5a;
	INSN(0x80, 0x0b, 0x01);			/* or byte [rbx], 1: reads ROM, writes nobody */
	mmio(ROM_BASE);
	CHECK_EQ(dev.count, 1);
	check_access(0, ROM_BASE, 1, true, 0x5b);
	CHECK_EQ(guest.rip, CODE + 3);
}

TEST(counts_are_searches_to_a_cpu_without_them)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		reset(8);
		has_scan_counts = i;
		GPR(RBX) = DEV;
		guest.rflags = 2;
		INSN(0xf3, 0x0f, 0xbd, 0x03);	/* lzcnt eax, [rbx]; bsr */
		mmio(DEV);			/* 0x44332211 */
		CHECK_EQ(GPR(RAX), i ? 1 : 30);
		INSN(0xf3, 0x0f, 0xbc, 0x03);	/* tzcnt, bsf */
		mmio(DEV);
		CHECK_EQ(GPR(RAX), 0);
		CHECK_EQ(guest.rflags, i ? 0x42 : 2);	/* ZF: of the result; of the source */
		CHECK_EQ(dev.count, 2);
	}
}

TEST(push_and_pop)
{
	reset(8);
	GPR(RBX) = DEV;
	GPR(RSP) = 0x3008;
	INSN(0xff, 0x33);			/* push qword [rbx] */
	mmio(DEV);
	check_access(0, DEV, 8, false, 0);
	CHECK_EQ(GPR(RSP), 0x3000);
	CHECK(!memcmp(guest.ram + 0x3000, "\x11\x22\x33\x44\x55\x66\x77\x88", 8));
	INSN(0x66, 0x8f, 0x43, 0x10);		/* pop word [rbx + 16] */
	mmio(DEV + 16);
	check_access(1, DEV + 16, 2, true, 0x2211);
	CHECK_EQ(GPR(RSP), 0x3002);
	/* by a stack of 16 bits, that wraps; the rest of RSP stays */
	reset(4);
	guest.seg[SEG_SS].rights &= ~BIT(14);
	guest.seg[SEG_SS].limit = 0xffff;
	GPR(RBX) = DEV;
	GPR(RSP) = 0xabcd0000;
	INSN(0xff, 0x33);
	mmio(DEV);
	CHECK_EQ(GPR(RSP), 0xabcdfffc);
	CHECK(!memcmp(guest.ram + 0xfffc, "\x11\x22\x33\x44", 4));
	GPR(RSP) = 0xabcd0002;			/* over its end: nothing is done */
	INSN(0xff, 0x33);
	mmio(DEV);
	CHECK_EQ(GPR(RSP), 0xabcd0002);
	CHECK_EQ(guest.vector, X86_XCPT_SS);
	CHECK_EQ(dev.count, 1);
}

/* The device is where the stack points: the address is that of RSP behind the POP. */
TEST(pop_by_rsp)
{
	reset(8);
	four_levels();
	*pte(0x10000) = 0x3000 | 7;
	*pte(0x11000) = DEV | 7;
	GPR(RSP) = 0x10ff8;
	memset(guest.ram + 0x3ff8, 0x5a, 8);
	INSN(0x8f, 0x44, 0x24, 0x08);		/* pop qword [rsp + 8] */
	mmio(DEV + 8);
	check_access(0, DEV + 8, 8, true, 0x5a5a5a5a5a5a5a5aULL);
	CHECK_EQ(GPR(RSP), 0x11000);
}

/* ---- strings */

TEST(rep_stos_does_one_element_at_a_time)
{
	unsigned int i;

	reset(8);
	GPR(RDI) = DEV;
	GPR(RCX) = 3;
	GPR(RAX) = 0x01020304;
	INSN(0xf3, 0xab);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(guest.rip, CODE);
		CHECK_EQ(mmio(DEV + 4 * i), EXIT_RESUME);
		CHECK_EQ(dev.count, i + 1);
		check_access(i, DEV + 4 * i, 4, true, 0x01020304);
		CHECK_EQ(GPR(RCX), 2 - i);
		/* each is an instruction done; RF is what tells those in between from the last */
		CHECK_EQ(guest.skips, i + 1);
		CHECK_EQ(guest.rflags & X86_EFLAGS_RF, i < 2 ? X86_EFLAGS_RF : 0);
	}
	CHECK_EQ(guest.rip, CODE + 2);
	CHECK_EQ(GPR(RDI), DEV + 12);
	guest.rip = CODE;				/* RCX is 0 */
	mmio(DEV);
	CHECK_EQ(dev.count, 3);
	CHECK_EQ(guest.rip, CODE + 2);
}

TEST(movs_between_memory_and_device)
{
	reset(4);
	guest.rflags |= X86_EFLAGS_DF;
	memcpy(guest.ram + 0x3000, "\x11\x22\x33\x44", 4);
	GPR(RSI) = 0x3000;
	GPR(RDI) = 0xffffffff00000000ULL | DEV;
	INSN(0xa5);
	mmio(DEV);
	check_access(0, DEV, 4, true, 0x44332211);
	CHECK_EQ(GPR(RSI), 0x2ffc);
	CHECK_EQ(GPR(RDI), DEV - 4);
	GPR(RSI) = DEV + 8;
	GPR(RDI) = 0x3100;
	INSN(0x66, 0xa5);
	mmio(DEV + 8);
	CHECK_EQ(guest.ram[0x3100] | guest.ram[0x3101] << 8 | guest.ram[0x3102] << 16, 0x2211);
	GPR(RDI) = DEV + 16;
	GPR(RSI) = DEV + 8;
	INSN(0xa4);
	dev.to_user = true;
	mmio(DEV + 8);
	check_access(2, DEV + 8, 1, false, 0);
	check_access(3, DEV + 16, 1, true, 0x11);
}

TEST(movs_faults_before_it_reads_the_device)
{
	reset(8);
	four_levels();
	*pte(0x10000) = DEV | 7;
	*pte(0x11000) = 0x20000 | 5;
	GPR(RSI) = 0x10000;
	GPR(RDI) = 0x11000;
	INSN(0xf3, 0xa4);
	GPR(RCX) = 1;
	mmio(DEV);
	CHECK_EQ(dev.count, 0);
	CHECK_EQ(guest.vector, X86_XCPT_PF);
	CHECK_EQ(guest.error, PFEC_PRESENT | PFEC_WRITE);
	CHECK_EQ(GPR(RCX), 1);
}

TEST(string_registers_have_the_address_size)
{
	reset(2);
	GPR(RCX) = 0x55550001;
	GPR(RDI) = 0x5555ffff;
	GPR(RAX) = 7;
	guest.seg[SEG_ES].base = DEV;
	INSN(0xf3, 0xaa);
	mmio(0);
	check_access(0, DEV + 0xffff, 1, true, 7);
	CHECK_EQ(GPR(RCX), 0x55550000);
	CHECK_EQ(GPR(RDI), 0x55550000);
	CHECK_EQ(guest.rip, CODE + 2);
	/* the override is of the source alone */
	guest.seg[SEG_FS].base = DEV + 0x100000;
	GPR(RSI) = 1;
	INSN(0x64, 0xa4);
	mmio(0);
	check_access(1, DEV + 0x100001, 1, false, 0);
	check_access(2, DEV, 1, true, 0x11);
}
