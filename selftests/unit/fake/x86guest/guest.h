/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest for tests of what walks and emulates: memory by page, a CPU whose state is what the
 * test writes (kmod/arch/x86/virt.h), and what it was made to do. Include once, after core.h.
 */
#ifndef FAKE_X86GUEST_GUEST_H
#define FAKE_X86GUEST_GUEST_H

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/processor-flags.h>

#include "guestmem.h"
#include "x86.h"

#define RAM_BASE	0ULL
#define RAM_SIZE	0x100000ULL
#define ROM_BASE	0xe0000000ULL
#define ROM_SIZE	0x2000ULL

static struct {
	u8 ram[RAM_SIZE], rom[ROM_SIZE];
	u8 *more;				/* RAM of the test's own, anywhere */
	u64 more_base, more_size;
	void (*before_cmpxchg)(u64 gpa);	/* another vCPU gets in between */
	unsigned int reads;

	u64 rip, rflags, cr3;
	struct x86_segment seg[SEG_COUNT];
	unsigned int mode, cpl;
	unsigned int skips;			/* instructions, or elements of a string, done */
	u8 maxphyaddr;

	int vector, error;			/* injected; vector -1: none */
	u64 fault_address;
	u32 fatal;
	struct qvm_vm vm;
	struct qvm_vcpu vcpu;
} guest;

static bool is_within(u64 gpa, unsigned int len, u64 base, u64 size)
{
	return gpa - base < size && len <= size - (gpa - base);
}

static u8 *guest_memory(u64 gpa, unsigned int len, bool write)
{
	if (is_within(gpa, len, RAM_BASE, RAM_SIZE))
		return guest.ram + (gpa - RAM_BASE);
	if (is_within(gpa, len, guest.more_base, guest.more_size))
		return guest.more + (gpa - guest.more_base);
	if (!write && is_within(gpa, len, ROM_BASE, ROM_SIZE))
		return guest.rom + (gpa - ROM_BASE);
	return NULL;
}

int qvm_guest_read(struct qvm_vm *vm, u64 gpa, void *buf, unsigned int len)
{
	const u8 *mem = guest_memory(gpa, len, false);

	guest.reads++;
	if (!mem)
		return -EFAULT;
	memcpy(buf, mem, len);
	return 0;
}

int qvm_guest_write(struct qvm_vm *vm, u64 gpa, const void *buf, unsigned int len)
{
	u8 *mem = guest_memory(gpa, len, true);

	if (!mem)
		return -EFAULT;
	memcpy(mem, buf, len);
	return 0;
}

const void *qvm_guest_pointer(struct qvm_vm *vm, u64 gpa, unsigned int len)
{
	return guest_memory(gpa, len, false);
}

static int guest_cmpxchg(u64 gpa, u64 old, u64 new, unsigned int len)
{
	u8 *mem = guest_memory(gpa, len, true);
	u64 was = 0;

	if (!mem || gpa % len)
		return -EFAULT;
	if (guest.before_cmpxchg)
		guest.before_cmpxchg(gpa);
	memcpy(&was, mem, len);
	if (was != old)
		return -EAGAIN;
	memcpy(mem, &new, len);
	return 0;
}

int qvm_guest_cmpxchg32(struct qvm_vm *vm, u64 gpa, u32 old, u32 new)
{
	return guest_cmpxchg(gpa, old, new, 4);
}

int qvm_guest_cmpxchg64(struct qvm_vm *vm, u64 gpa, u64 old, u64 new)
{
	return guest_cmpxchg(gpa, old, new, 8);
}

const struct qvm_mem *qvm_region_find(const struct qvm_vm *vm, u64 gpa)
{
	static const struct qvm_mem ram = { .kind = QVM_REGION_RAM };
	static const struct qvm_mem rom = { .kind = QVM_REGION_ROM };

	if (guest_memory(gpa, 1, true))
		return &ram;
	return guest_memory(gpa, 1, false) ? &rom : NULL;
}

/* ---- the CPU ---- */

static bool has_scan_counts = true;

void x86_cpuid(const struct qvm_vcpu *vcpu, u32 leaf, u32 subleaf, struct x86_cpuid *out)
{
	*out = (struct x86_cpuid){};
	if (!has_scan_counts)
		return;
	out->ebx = leaf == 7 ? BIT(3) : 0;			/* BMI1 */
	out->ecx = leaf == 0x80000001 ? BIT(5) : 0;		/* LZCNT */
}

u64 x86_get_rip(struct qvm_vcpu *vcpu)
{
	return guest.rip;
}

u64 x86_get_rflags(struct qvm_vcpu *vcpu)
{
	return guest.rflags;
}

void x86_set_rflags(struct qvm_vcpu *vcpu, u64 rflags)
{
	guest.rflags = rflags;
}

u64 x86_get_cr3(struct qvm_vcpu *vcpu)
{
	return guest.cr3;
}

void x86_get_segment(struct qvm_vcpu *vcpu, enum x86_seg seg, struct x86_segment *out)
{
	*out = guest.seg[seg];
}

unsigned int x86_code_mode(struct qvm_vcpu *vcpu)
{
	return guest.mode;
}

unsigned int x86_cpl(struct qvm_vcpu *vcpu)
{
	return guest.cpl;
}

u8 x86_maxphyaddr(void)
{
	return guest.maxphyaddr;
}

void x86_skip_to(struct qvm_vcpu *vcpu, u64 rip)
{
	guest.rip = rip;
	guest.rflags &= ~(u64)X86_EFLAGS_RF;
	guest.skips++;
}

void x86_inject_exception(struct qvm_vcpu *vcpu, unsigned int vector, int error)
{
	guest.vector = vector;
	guest.error = error;
}

void x86_inject_page_fault(struct qvm_vcpu *vcpu, u64 address, u32 error)
{
	guest.vector = X86_XCPT_PF;
	guest.error = error;
	guest.fault_address = address;
}

enum exit_action x86_fatal(struct qvm_vcpu *vcpu, u32 cause, u64 syndrome, u64 gva, u64 gpa)
{
	guest.fatal = cause;
	return EXIT_FATAL;
}

/* ---- setting up ---- */

/* No paging, flat segments, code of @mode at 0x1000, CPL 0. */
static void guest_reset(unsigned int mode)
{
	unsigned int i;
	struct x86_insn_state *insn = guest.vcpu.arch.insn;

	memset(&guest, 0, sizeof(guest));
	guest.vcpu.vm = &guest.vm;
	guest.vcpu.arch.insn = insn;
	guest.vcpu.arch.cr0 = X86_CR0_PE | X86_CR0_WP;
	guest.mode = mode;
	guest.maxphyaddr = 40;
	guest.rip = 0x1000;
	guest.rflags = 2;
	guest.vector = -1;
	for (i = 0; i < SEG_COUNT; i++)
		guest.seg[i] = (struct x86_segment){ .limit = U32_MAX, .rights = 0xc093 };
	guest.seg[SEG_CS].rights = 0xc09b;
}

#endif
