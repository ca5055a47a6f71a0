/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is outside of the guest in guest.h: a device that logs every access and answers as the
 * kernel or as user space would, and a local APIC. Include once, after unit.h.
 */
#ifndef FAKE_X86GUEST_DEVICE_H
#define FAKE_X86GUEST_DEVICE_H

#include <linux/bits.h>
#include <asm/msr-index.h>

#include "core.h"
#include "decode.h"
#include "emulate.h"
#include "fake/x86guest/guest.h"

#define CODE	0x1000ULL
#define DEV	0x80000000ULL
#define LAPIC	0xfee00000ULL
#define PAGE	4096ULL
#define FLAGS	0x8d5ULL		/* CF PF AF ZF SF OF */

#define GPR(name)	guest.vcpu.arch.regs.gpr[GPR_ ## name]

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

static __maybe_unused void check_access(unsigned int n, u64 gpa, unsigned int len, bool write,
					u64 data)
{
	CHECK(n < dev.count);
	CHECK_EQ(dev.log[n].gpa, gpa);
	CHECK_EQ(dev.log[n].len, len);
	CHECK_EQ(dev.log[n].is_write, write);
	if (write)
		CHECK_EQ(dev.log[n].data, data);
}

/* Identity but for what the test says: page tables at 0x8000. */
static __maybe_unused void four_levels(void)
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

static __maybe_unused u64 *pte(u64 linear)
{
	return (u64 *)(guest.ram + 0xb000) + (linear >> 12);
}

#endif
