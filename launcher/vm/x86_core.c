// SPDX-License-Identifier: GPL-2.0-only
/* Registers of an x86 vCPU for a dump and for the log. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"
#include "vm/core.h"
#include "vm/sys.h"
#include "vm/walk.h"
#include "vm/x86.h"
#include "x86/qvm_reg.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define MSR_EFER		0xc0000080
#define CR0_PG			(1ull << 31)
#define CR4_LA57		(1ull << 12)
#define EFER_LMA		(1ull << 10)

#define FXSAVE_FCW		0
#define FXSAVE_MXCSR		24
#define FXSAVE_XMM		160

/* Where a register of struct user_regs_struct comes from; segments: 1 selector, 2 base. */
static const struct {
	uint64_t id;
	int part;
} user_regs[CORE_REGS_X86] = {
	{ QVM_REG_GPR(15), 0 }, { QVM_REG_GPR(14), 0 }, { QVM_REG_GPR(13), 0 }, { QVM_REG_GPR(12), 0 },
	{ QVM_REG_GPR(5), 0 }, { QVM_REG_GPR(3), 0 }, { QVM_REG_GPR(11), 0 }, { QVM_REG_GPR(10), 0 },
	{ QVM_REG_GPR(9), 0 }, { QVM_REG_GPR(8), 0 }, { QVM_REG_GPR(0), 0 }, { QVM_REG_GPR(1), 0 },
	{ QVM_REG_GPR(2), 0 }, { QVM_REG_GPR(6), 0 }, { QVM_REG_GPR(7), 0 },
	{ 0, 0 },		/* orig_rax: in no system call */
	{ QVM_REG_RIP, 0 }, { QVM_REG_SEG(1), 1 }, { QVM_REG_RFLAGS, 0 }, { QVM_REG_GPR(4), 0 },
	{ QVM_REG_SEG(2), 1 }, { QVM_REG_SEG(4), 2 }, { QVM_REG_SEG(5), 2 }, { QVM_REG_SEG(3), 1 },
	{ QVM_REG_SEG(0), 1 }, { QVM_REG_SEG(4), 1 }, { QVM_REG_SEG(5), 1 },
};

enum { USER_RIP = 16, USER_RFLAGS = 18, USER_RSP = 19 };

static const struct {
	const char *name;
	uint64_t id;
} system_regs[] = {
	{ "cr0", QVM_REG_CR(0) }, { "cr2", QVM_REG_CR(2) }, { "cr3", QVM_REG_CR(3) },
	{ "cr4", QVM_REG_CR(4) }, { "cr8", QVM_REG_CR(8) }, { "efer", QVM_REG_MSR_ID(MSR_EFER) },
	{ "gdtr", QVM_REG_GDTR }, { "idtr", QVM_REG_IDTR },
	{ "es", QVM_REG_SEG(0) }, { "cs", QVM_REG_SEG(1) }, { "ss", QVM_REG_SEG(2) },
	{ "ds", QVM_REG_SEG(3) }, { "fs", QVM_REG_SEG(4) }, { "gs", QVM_REG_SEG(5) },
	{ "ldtr", QVM_REG_SEG(6) }, { "tr", QVM_REG_SEG(7) },
};

static int read_regs(struct sys_vcpu *vcpu, uint64_t *regs)
{
	for (size_t i = 0; i < CORE_REGS_X86; i++) {
		uint64_t value[2] = { 0 };
		int error = user_regs[i].id ? sys_get_reg_pair(vcpu, user_regs[i].id, value) : 0;

		if (error)
			return error;
		regs[i] = user_regs[i].part == 1 ? value[1] & 0xffff : value[0];
	}
	regs[15] = ~0ull;
	return 0;
}

static void read_fp(struct sys_vcpu *vcpu, uint8_t *fp)
{
	uint64_t value[2] = { 0 };

	for (unsigned int i = 0; i < 16; i++)
		if (sys_get_reg_pair(vcpu, QVM_REG_XMM(i), value) == 0)
			memcpy(fp + FXSAVE_XMM + 16 * i, value, sizeof(value));
	if (sys_get_reg(vcpu, QVM_REG_MXCSR, value) == 0)
		memcpy(fp + FXSAVE_MXCSR, value, 4);
	if (sys_get_reg(vcpu, QVM_REG_FCW, value) == 0)
		memcpy(fp + FXSAVE_FCW, value, 2);
}

int x86_read_core(struct sys_vcpu *vcpu, struct core_cpu *cpu)
{
	int error = read_regs(vcpu, cpu->regs);

	if (error)
		return error;
	read_fp(vcpu, cpu->fp);
	cpu->system = calloc(COUNT(system_regs), sizeof(*cpu->system));
	if (!cpu->system)
		return -ENOMEM;
	for (size_t i = 0; i < COUNT(system_regs); i++) {
		struct core_register *reg = &cpu->system[cpu->system_count];

		reg->id = system_regs[i].id;
		if (sys_get_reg_pair(vcpu, reg->id, reg->value) == 0)
			cpu->system_count++;
	}
	return 0;
}

/* SDM vol. 3 4.5: 4 or 5 levels. The kernels of this world are in the upper half. */
bool x86_read_paging(struct sys_vcpu *vcpu, struct walk *walk)
{
	uint64_t cr0, cr3, cr4, efer;

	if (sys_get_reg(vcpu, QVM_REG_CR(0), &cr0) || sys_get_reg(vcpu, QVM_REG_CR(3), &cr3) ||
	    sys_get_reg(vcpu, QVM_REG_CR(4), &cr4) || sys_get_reg(vcpu, QVM_REG_MSR_ID(MSR_EFER), &efer))
		return false;
	walk->format = &walk_x86;
	walk->page_shift = 12;
	walk->bits = cr4 & CR4_LA57 ? 57 : 48;
	walk->base = ~0ull << walk->bits;
	walk->from = walk->base | 1ull << (walk->bits - 1);
	walk->root = cr3 & walk_x86.address_mask;
	return cr0 & CR0_PG && efer & EFER_LMA;
}

void x86_say_registers(struct sys_vcpu *vcpu, unsigned int index)
{
	static const char *const names[] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	};
	uint64_t regs[CORE_REGS_X86] = { 0 }, gpr[16] = { 0 };

	if (read_regs(vcpu, regs)) {
		log_error("vCPU %u: its registers can't be read", index);
		return;
	}
	log_error("vCPU %u: rip %016llx rsp %016llx rflags %08llx", index,
		  (unsigned long long)regs[USER_RIP], (unsigned long long)regs[USER_RSP],
		  (unsigned long long)regs[USER_RFLAGS]);
	for (unsigned int i = 0; i < 16; i++)
		sys_get_reg(vcpu, QVM_REG_GPR(i), &gpr[i]);
	for (unsigned int i = 0; i < 16; i += 4)
		log_error("vCPU %u: %s %016llx %s %016llx %s %016llx %s %016llx", index,
			  names[i], (unsigned long long)gpr[i], names[i + 1], (unsigned long long)gpr[i + 1],
			  names[i + 2], (unsigned long long)gpr[i + 2], names[i + 3],
			  (unsigned long long)gpr[i + 3]);
	for (size_t i = 0; i < COUNT(system_regs); i++) {
		uint64_t value[2];

		if (sys_get_reg_pair(vcpu, system_regs[i].id, value) == 0)
			log_error("vCPU %u: %s %llx %llx", index, system_regs[i].name,
				  (unsigned long long)value[0], (unsigned long long)value[1]);
	}
}
