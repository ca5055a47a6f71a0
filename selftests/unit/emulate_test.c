// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions on device memory and ports: which accesses they make, what they leave behind; and
 * generated ones against this processor.
 *
 * LINK: kmod/arch/x86/emulate.c kmod/arch/x86/decode.c kmod/arch/x86/gwalk.c
 * CFLAGS: -Ikmod/arch/x86 -Iuapi/x86
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include <linux/printk.h>
#include <asm/msr-index.h>

#include "core.h"
#include "decode.h"
#include "emulate.h"
#include "fake/x86/guest.h"
#include "gwalk.h"
#include "unit.h"

#define CODE	0x1000ULL
#define DEV	0x80000000ULL
#define LAPIC	0xfee00000ULL
#define PAGE	4096ULL
#define FLAGS	0x8d5ULL		/* CF PF AF ZF SF OF */

#define GPR(name)	guest.vcpu.arch.regs.gpr[GPR_ ## name]

/* ---- what is outside: every access is logged, memory of a device is the test's */

static struct {
	struct qvm_access log[64];
	unsigned int count;
	bool to_user, refuse;
	u8 *mem;			/* behind DEV or wherever base says */
	u64 base, size;
	u64 read_value;			/* where no mem is */
	u64 data;			/* user space's answer */
	u32 lapic_offset, lapic_value, lapic_reads, lapic_writes;
} dev;

static u64 device_data(const struct qvm_access *access)
{
	u64 data = dev.read_value;

	if (access->is_port || access->gpa - dev.base >= dev.size)
		return data;
	if (access->is_write) {
		memcpy(dev.mem + (access->gpa - dev.base), &access->data, access->len);
		return ~0ULL;
	}
	data = ~0ULL;				/* bytes that do not belong to it are rubbish */
	memcpy(&data, dev.mem + (access->gpa - dev.base), access->len);
	return data;
}

enum exit_action qvm_exit_access(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	u64 data;

	CHECK(access->len && !(access->len & (access->len - 1)) && access->len <= 8);
	CHECK(access->is_port || (access->gpa & (PAGE - 1)) + access->len <= PAGE);
	if (access->is_write && access->len < 8)
		CHECK_EQ(access->data >> (8 * access->len), 0);
	if (dev.count < ARRAY_SIZE(dev.log))
		dev.log[dev.count] = *access;
	dev.count++;
	if (dev.refuse) {
		x86_inject_exception(vcpu, X86_XCPT_GP, 0);
		return EXIT_RESUME;
	}
	data = device_data(access);
	if (!dev.to_user)
		return qvm_arch_complete_access(vcpu, access, data);
	vcpu->mmio = *access;
	dev.data = data;
	return EXIT_TO_USER;
}

bool vlapic_owns(const struct qvm_vcpu *vcpu, u64 gpa)
{
	return gpa - LAPIC < PAGE;
}

u32 vlapic_mmio_read(struct qvm_vcpu *vcpu, u32 offset)
{
	dev.lapic_offset = offset;
	dev.lapic_reads++;
	return 0x12345678;
}

void vlapic_mmio_write(struct qvm_vcpu *vcpu, u32 offset, u32 value)
{
	dev.lapic_offset = offset;
	dev.lapic_value = value;
	dev.lapic_writes++;
}

static void reset(unsigned int mode)
{
	if (guest.vcpu.arch.insn)
		x86_emulate_destroy(&guest.vcpu);
	guest_reset(mode);
	memset(&dev, 0, sizeof(dev));
	dev.base = DEV;
	dev.read_value = 0x8877665544332211ULL;
	CHECK_EQ(x86_emulate_create(&guest.vcpu), 0);
}

/* User space answers until the guest goes on; what run_loop() would do. */
static enum exit_action answer(enum exit_action action)
{
	while (action == EXIT_TO_USER)
		action = qvm_arch_complete_access(&guest.vcpu, &guest.vcpu.mmio, dev.data);
	return action;
}

static enum exit_action mmio(u64 gpa)
{
	struct x86_mmio exit = { .gpa = gpa };

	return answer(x86_emulate_mmio(&guest.vcpu, &exit));
}

#define INSN(...) do {							\
	static const u8 insn_bytes[] = { __VA_ARGS__ };			\
	memcpy(guest.ram + CODE, insn_bytes, sizeof(insn_bytes));	\
	guest.rip = CODE;						\
} while (0)

static void check_access(unsigned int n, u64 gpa, unsigned int len, bool write, u64 data)
{
	CHECK(n < dev.count);
	CHECK_EQ(dev.log[n].gpa, gpa);
	CHECK_EQ(dev.log[n].len, len);
	CHECK_EQ(dev.log[n].is_write, write);
	if (write)
		CHECK_EQ(dev.log[n].data, data);
}

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
	guest.seg[SEG_DS] = (struct x86_segment){ .base = 0xb8000000, .limit = 0xffff, .rights = 0x93 };
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

/* Identity but for what the test says: page tables at 0x8000. */
static void four_levels(void)
{
	u64 *pml4 = (u64 *)(guest.ram + 0x8000), *pdpt = pml4 + 512, *pd = pml4 + 1024;
	u64 *pt = pml4 + 1536;
	unsigned int i;

	pml4[0] = 0x9000 | 7;
	for (i = 0; i < 4; i++)
		pdpt[i] = (u64)i << 30 | 0x87;
	pdpt[0] = 0xa000 | 7;
	pd[0] = 0xb000 | 7;
	for (i = 0; i < 512; i++)
		pt[i] = (u64)i << 12 | 7;
	guest.vcpu.arch.cr0 |= X86_CR0_PG;
	guest.vcpu.arch.cr4 = X86_CR4_PAE;
	guest.vcpu.arch.msr.efer = EFER_LMA | EFER_NX;
	guest.cr3 = 0x8000;
}

static u64 *pte(u64 linear)
{
	return (u64 *)(guest.ram + 0xb000) + (linear >> 12);
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

/* ---- ports */

static enum exit_action port(u16 number, unsigned int len, bool in, bool string)
{
	struct x86_io io = {
		.port = number, .len = len, .in = in, .string = string, .next_rip = guest.rip + 2,
	};

	return answer(x86_emulate_io(&guest.vcpu, &io));
}

static void check_port(unsigned int n, u16 number, unsigned int len, bool write, u64 data)
{
	check_access(n, number, len, write, data);
	CHECK(dev.log[n].is_port);
}

TEST(in_and_out)
{
	reset(8);
	dev.to_user = true;
	GPR(RAX) = ~0ULL;
	port(0x3f8, 1, true, false);
	CHECK_EQ(GPR(RAX), 0xffffffffffffff11ULL);
	port(0x3f8, 2, true, false);
	CHECK_EQ(GPR(RAX), 0xffffffffffff2211ULL);
	port(0xcfc, 4, true, false);
	CHECK_EQ(GPR(RAX), 0x44332211);
	check_port(2, 0xcfc, 4, false, 0);
	CHECK_EQ(guest.rip, CODE + 6);
	port(0x80, 1, false, false);
	check_port(3, 0x80, 1, true, 0x11);
	port(0xffff, 4, false, false);
	check_port(4, 0xffff, 4, true, 0x44332211);
}

TEST(outs_and_ins)
{
	unsigned int i;

	reset(8);
	memcpy(guest.ram + 0x3000, "hello", 5);
	GPR(RSI) = 0x3000;
	GPR(RCX) = 5;
	INSN(0xf3, 0x6e);
	for (i = 0; i < 5; i++)
		CHECK_EQ(port(0x3f8, 1, false, true), EXIT_RESUME);
	CHECK_EQ(dev.count, 5);
	for (i = 0; i < 5; i++)
		check_port(i, 0x3f8, 1, true, "hello"[i]);
	CHECK_EQ(guest.rip, CODE + 2);
	CHECK_EQ(GPR(RCX), 0);
	CHECK_EQ(GPR(RSI), 0x3005);

	dev.to_user = true;
	GPR(RDI) = DEV;
	INSN(0x6d);				/* insd, into a device */
	port(0x1f0, 4, true, true);
	check_port(5, 0x1f0, 4, false, 0);
	check_access(6, DEV, 4, true, 0x44332211);
	CHECK_EQ(GPR(RDI), DEV + 4);
	CHECK_EQ(guest.rip, CODE + 1);
}

TEST(ins_across_pages_and_its_faults)
{
	reset(8);
	four_levels();
	*pte(0x11000) = 0x30000 | 7;
	GPR(RDI) = 0x10ffe;
	GPR(RCX) = 2;
	INSN(0xf3, 0x6d);
	port(0x1f0, 4, true, true);
	CHECK(!memcmp(guest.ram + 0x10ffe, "\x11\x22", 2));
	CHECK(!memcmp(guest.ram + 0x30000, "\x33\x44", 2));
	CHECK_EQ(guest.rip, CODE);
	*pte(0x11000) = 0;
	port(0x1f0, 4, true, true);
	CHECK_EQ(dev.count, 1);			/* nothing was taken from the port */
	CHECK_EQ(guest.vector, X86_XCPT_PF);
	CHECK_EQ(guest.fault_address, 0x11002);
	CHECK_EQ(GPR(RCX), 1);
}

TEST(changed_code_is_run_again)
{
	reset(8);
	INSN(0x90);
	CHECK_EQ(port(0x1f0, 4, true, true), EXIT_RESUME);
	CHECK_EQ(dev.count, 0);
	CHECK_EQ(guest.rip, CODE);
	CHECK_EQ(guest.vector, -1);
	/* and a port instruction is no access to memory */
	INSN(0x6d);
	mmio(DEV);
	CHECK_EQ(guest.vector, X86_XCPT_UD);
}

/* ---- against the processor */

#ifdef __x86_64__

struct native_regs {
	u64 gpr[16];
	u64 rflags;
};

void native_run(struct native_regs *regs, const void *code);
extern const char native_back[];

/* Everything but RSP from *regs and back; the code jumps to native_back. */
asm(".pushsection .bss\n"
    "native_regs_at: .zero 8\n"
    "native_code_at: .zero 8\n"
    "native_rdi: .zero 8\n"
    ".popsection\n"
    "native_run:\n"
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "	mov %rdi, native_regs_at(%rip)\n"
    "	mov %rsi, native_code_at(%rip)\n"
    "	push 128(%rdi); popfq\n"
    "	mov 0(%rdi), %rax; mov 8(%rdi), %rcx; mov 16(%rdi), %rdx; mov 24(%rdi), %rbx\n"
    "	mov 40(%rdi), %rbp; mov 48(%rdi), %rsi\n"
    "	mov 64(%rdi), %r8; mov 72(%rdi), %r9; mov 80(%rdi), %r10; mov 88(%rdi), %r11\n"
    "	mov 96(%rdi), %r12; mov 104(%rdi), %r13; mov 112(%rdi), %r14; mov 120(%rdi), %r15\n"
    "	mov 56(%rdi), %rdi\n"
    "	jmp *native_code_at(%rip)\n"
    "native_back:\n"
    "	mov %rdi, native_rdi(%rip)\n"
    "	mov native_regs_at(%rip), %rdi\n"
    "	pushfq; pop 128(%rdi)\n"
    "	cld\n"
    "	mov %rax, 0(%rdi); mov %rcx, 8(%rdi); mov %rdx, 16(%rdi); mov %rbx, 24(%rdi)\n"
    "	mov %rbp, 40(%rdi); mov %rsi, 48(%rdi)\n"
    "	mov %r8, 64(%rdi); mov %r9, 72(%rdi); mov %r10, 80(%rdi); mov %r11, 88(%rdi)\n"
    "	mov %r12, 96(%rdi); mov %r13, 104(%rdi); mov %r14, 112(%rdi); mov %r15, 120(%rdi)\n"
    "	mov native_rdi(%rip), %rax; mov %rax, 56(%rdi)\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "	ret\n");

#define AREA_PAGES	5	/* 1 and 3 are a device, 2 is RAM; 0 and 4 catch what goes astray */
#define AREA_SIZE	(AREA_PAGES * PAGE)

static u8 *area, *code_page;
static u8 shadow[AREA_SIZE];
static u64 rng_state = 88172645463325252ULL;

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * 0x2545f4914f6cdd1dULL >> 16;
}

static u64 rng64(void)
{
	return rng() ^ rng() << 32;
}

/* An address near a page boundary of the inner pages, half the time. */
static u64 target(unsigned int align)
{
	u64 offset = PAGE + 0x100 + rng() % (3 * PAGE - 0x200);

	if (rng() % 2)
		offset = (2 + rng() % 2) * PAGE - rng() % 10;
	return (u64)(unsigned long)area + (offset & ~(u64)(align - 1));
}

static unsigned int generate(u8 *bytes)
{
	static const u8 prefixes[] = { 0x66, 0x66, 0x67, 0xf2, 0xf3, 0xf3, 0xf0, 0x2e, 0x3e };
	static const u8 opcodes[] = {
		0x00, 0x08, 0x20, 0x28, 0x30, 0x38, 0x80, 0x80, 0x84, 0x88, 0x88, 0xa4, 0xa4, 0xaa,
		0xac, 0xc6, 0xf6, 0x63, 0x86
	};
	static const u8 opcodes_0f[] = { 0xa3, 0xab, 0xb3, 0xbb, 0xba, 0xba, 0xb6, 0xb7, 0xbe, 0xbf };
	unsigned int pos = 0, i;

	for (i = 0; i < X86_INSN_MAX; i++)
		bytes[i] = rng();
	while (rng() % 3 == 0 && pos < 3)
		bytes[pos++] = prefixes[rng() % sizeof(prefixes)];
	if (rng() % 2)
		bytes[pos++] = 0x40 | rng() % 16;
	if (rng() % 4 == 0) {
		bytes[pos++] = 0x0f;
		bytes[pos] = opcodes_0f[rng() % sizeof(opcodes_0f)];
	} else {
		bytes[pos] = opcodes[rng() % sizeof(opcodes)];
		/* the rows of a kind differ in their low bits */
		bytes[pos] ^= bytes[pos] < 0x40 || (bytes[pos] & 0xfc) == 0x88 ? rng() % 4 :
			      bytes[pos] == 0x80 ? rng() % 2 * 3 : bytes[pos] == 0x63 ? 0 : rng() % 2;
	}
	return pos;
}

/* Can it run here, and can its address be chosen? */
static bool is_suitable(const struct insn *insn, const u8 *bytes)
{
	if (insn->op == INSN_INS || insn->op == INSN_OUTS)
		return false;
	if (insn->mem_len > insn->reg_len)	/* 66 63: differs between makers */
		return false;
	if (insn_is_string(insn))
		return true;
	if (insn->base < 0 || insn->base == GPR_RSP || insn->base == insn->index)
		return false;
	if (!insn->has_imm && insn->reg == GPR_RSP)
		return false;
	return insn->op != INSN_BIT_TEST || insn->has_imm ||
	       (insn->reg != insn->base && insn->reg != insn->index);
}

static u64 upper_rubbish(const struct insn *insn)
{
	return insn->addr_len == 4 && !insn->rep ? rng64() << 32 : 0;
}

static void choose_registers(const struct insn *insn, struct native_regs *regs)
{
	bool aligned = insn->locked || insn->op == INSN_XCHG;
	unsigned int i;

	for (i = 0; i < 16; i++)
		regs->gpr[i] = rng() % 4 ? rng64() : rng() % 3 - 1;
	regs->rflags = 2 | (rng() & (FLAGS | X86_EFLAGS_DF));
	if (insn_is_string(insn)) {
		regs->gpr[GPR_RSI] = target(1) | upper_rubbish(insn);
		regs->gpr[GPR_RDI] = target(1) | upper_rubbish(insn);
		if (insn->rep)
			regs->gpr[GPR_RCX] = rng() % 5;
		return;
	}
	if (insn->op == INSN_BIT_TEST && !insn->has_imm)
		regs->gpr[insn->reg] = (s64)(rng() % 1024) - 512;
	regs->gpr[insn->base] = target(aligned ? insn->mem_len : 1) - insn->disp;
	if (insn->index >= 0)
		regs->gpr[insn->base] -= regs->gpr[insn->index] * insn->scale;
	if (insn->addr_len == 4)
		regs->gpr[insn->base] = (u32)regs->gpr[insn->base] | upper_rubbish(insn);
}

static void run_native(const u8 *bytes, unsigned int len, struct native_regs *regs)
{
	u64 back = (unsigned long)native_back;

	memcpy(code_page, bytes, len);
	memcpy(code_page + len, "\xff\x25\0\0\0\0", 6);		/* jmp [rip] */
	memcpy(code_page + len + 6, &back, sizeof(back));
	native_run(regs, code_page);
}

static void run_emulated(const u8 *bytes, unsigned int len, struct native_regs *regs)
{
	unsigned int rounds = 0;

	guest.vector = -1;
	guest.rip = CODE;
	memcpy(guest.ram + CODE, bytes, len);
	memcpy(guest.vcpu.arch.regs.gpr, regs->gpr, sizeof(regs->gpr));
	guest.rflags = regs->rflags;
	dev.to_user = rng() % 2;
	while (guest.rip == CODE && rounds++ < 10)
		CHECK_EQ(mmio(0), EXIT_RESUME);
	CHECK_EQ(guest.vector, -1);
	CHECK_EQ(guest.rip, CODE + len);
	memcpy(regs->gpr, guest.vcpu.arch.regs.gpr, sizeof(regs->gpr));
	regs->rflags = guest.rflags;
}

static u64 defined_flags(const struct insn *insn)
{
	switch (insn->op) {
	case INSN_BIT_TEST:
		return 0x41 | X86_EFLAGS_DF;
	case INSN_AND:
	case INSN_OR:
	case INSN_XOR:
	case INSN_TEST:
		return (FLAGS & ~0x10ULL) | X86_EFLAGS_DF;
	default:
		return FLAGS | X86_EFLAGS_DF;
	}
}

static void compare_one(const struct insn *insn, const u8 *bytes)
{
	struct native_regs native, emulated;
	unsigned int i, failures = unit_failures;

	choose_registers(insn, &native);
	emulated = native;
	memcpy(shadow, area, AREA_SIZE);
	run_native(bytes, insn->length, &native);
	run_emulated(bytes, insn->length, &emulated);
	for (i = 0; i < 16; i++)
		if (i != GPR_RSP)
			CHECK_EQ(emulated.gpr[i], native.gpr[i]);
	CHECK_EQ((emulated.rflags ^ native.rflags) & defined_flags(insn), 0);
	CHECK(!memcmp(shadow, area, AREA_SIZE));
	if (unit_failures == failures || failures > 3)
		return;
	printf("#");
	for (i = 0; i < insn->length; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}

static void *map_low(u64 size, int prot)
{
	/* below 2 GiB, so that 32-bit addresses reach it */
	return mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
}

TEST(generated_instructions_do_what_the_processor_does)
{
	unsigned int i, suitable = 0, ops = 0;

	area = map_low(AREA_SIZE, PROT_READ | PROT_WRITE);
	code_page = map_low(PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	REQUIRE(area != MAP_FAILED && code_page != MAP_FAILED);
	reset(8);
	guest.more = shadow + 2 * PAGE;
	guest.more_base = (unsigned long)area + 2 * PAGE;
	guest.more_size = PAGE;
	dev.mem = shadow;
	dev.base = (unsigned long)area;
	dev.size = AREA_SIZE;
	for (i = 0; i < AREA_SIZE; i++)
		area[i] = rng();
	for (i = 0; i < 300000; i++) {
		u8 bytes[X86_INSN_MAX];
		struct insn insn;

		generate(bytes);
		if (insn_decode(&insn, bytes, sizeof(bytes), 8) || !is_suitable(&insn, bytes))
			continue;
		compare_one(&insn, bytes);
		ops |= BIT(insn.op);
		suitable++;
	}
	CHECK(suitable > 50000);
	CHECK_EQ(ops, BIT(INSN_BIT_TEST + 1) - 1);
	munmap(area, AREA_SIZE);
	munmap(code_page, PAGE);
}

#endif
