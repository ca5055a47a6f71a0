// SPDX-License-Identifier: GPL-2.0-only
/* Registers of an arm64 vCPU for a dump and for the log. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arm64/qvm_reg.h"
#include "util/log.h"
#include "vm/arm64.h"
#include "vm/core.h"
#include "vm/sys.h"
#include "vm/walk.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define SYS_SCTLR	QVM_REG_SYS(3, 0, 1, 0, 0)
#define SYS_TTBR1	QVM_REG_SYS(3, 0, 2, 0, 1)
#define SYS_TCR		QVM_REG_SYS(3, 0, 2, 0, 2)
#define SYS_SP_EL1	QVM_REG_SYS(3, 4, 4, 1, 0)

#define PSTATE_SP	1	/* SPSR.M[0]: SP_EL1 is in use */
#define SCTLR_M		1

static const struct {
	const char *name;
	uint64_t id;
} system_regs[] = {
	{ "sctlr", SYS_SCTLR }, { "ttbr0", QVM_REG_SYS(3, 0, 2, 0, 0) }, { "ttbr1", SYS_TTBR1 },
	{ "tcr", SYS_TCR }, { "mair", QVM_REG_SYS(3, 0, 10, 2, 0) },
	{ "vbar", QVM_REG_SYS(3, 0, 12, 0, 0) }, { "esr", QVM_REG_SYS(3, 0, 5, 2, 0) },
	{ "far", QVM_REG_SYS(3, 0, 6, 0, 0) }, { "elr", QVM_REG_SYS(3, 0, 4, 0, 1) },
	{ "spsr", QVM_REG_SYS(3, 0, 4, 0, 0) }, { "sp_el1", SYS_SP_EL1 }, { "sp_el0", QVM_REG_SP_EL0 },
	{ "tpidr_el1", QVM_REG_SYS(3, 0, 13, 0, 4) }, { "contextidr", QVM_REG_SYS(3, 0, 13, 0, 1) },
	{ "cpacr", QVM_REG_SYS(3, 0, 1, 0, 2) }, { "mpidr", QVM_REG_SYS(3, 0, 0, 0, 5) },
};

static int read_regs(struct sys_vcpu *vcpu, uint64_t *regs)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < 31; i++)
		error = sys_get_reg(vcpu, QVM_REG_X(i), &regs[i]);
	if (!error)
		error = sys_get_reg(vcpu, QVM_REG_PC, &regs[32]);
	if (!error)
		error = sys_get_reg(vcpu, QVM_REG_PSTATE, &regs[33]);
	if (!error)
		error = sys_get_reg(vcpu, regs[33] & PSTATE_SP ? SYS_SP_EL1 : QVM_REG_SP_EL0, &regs[31]);
	return error;
}

static int read_fp(struct sys_vcpu *vcpu, uint8_t *fp)
{
	uint64_t value[2] = { 0 };
	int error = 0;

	for (unsigned int i = 0; !error && i < 32; i++) {
		error = sys_get_reg_pair(vcpu, QVM_REG_Q(i), value);
		memcpy(fp + 16 * i, value, sizeof(value));
	}
	if (!error)
		error = sys_get_reg(vcpu, QVM_REG_FPSR, value);
	memcpy(fp + 512, value, 4);
	if (!error)
		error = sys_get_reg(vcpu, QVM_REG_FPCR, value);
	memcpy(fp + 516, value, 4);
	return error;
}

int arm64_read_core(struct sys_vcpu *vcpu, struct core_cpu *cpu)
{
	int error = read_regs(vcpu, cpu->regs);

	if (!error)
		error = read_fp(vcpu, cpu->fp);
	cpu->system = calloc(COUNT(system_regs), sizeof(*cpu->system));
	if (!cpu->system)
		return -ENOMEM;
	for (size_t i = 0; !error && i < COUNT(system_regs); i++) {
		struct core_register *reg = &cpu->system[cpu->system_count];

		reg->id = system_regs[i].id;
		if (sys_get_reg_pair(vcpu, reg->id, reg->value) == 0)
			cpu->system_count++;
	}
	return error;
}

/* Arm ARM D19.2.139, TCR_EL1: T1SZ, TG1. */
bool arm64_read_paging(struct sys_vcpu *vcpu, struct walk *walk)
{
	static const unsigned int page_shift[] = { 12, 14, 12, 16 };	/* by TG1; 0 is reserved */
	uint64_t sctlr, tcr, ttbr;

	if (sys_get_reg(vcpu, SYS_SCTLR, &sctlr) || sys_get_reg(vcpu, SYS_TCR, &tcr) ||
	    sys_get_reg(vcpu, SYS_TTBR1, &ttbr) || !(sctlr & SCTLR_M))
		return false;
	walk->format = &walk_arm64;
	walk->page_shift = page_shift[tcr >> 30 & 3];
	walk->bits = 64 - (tcr >> 16 & 0x3f);
	walk->base = ~0ull << walk->bits;
	walk->root = ttbr & 0x0000fffffffffffe & ~0x3full;
	/* Else EPD1, or a size that no stage 1 has. */
	return !(tcr >> 23 & 1) && walk->bits > walk->page_shift && walk->bits <= 52;
}

void arm64_say_registers(struct sys_vcpu *vcpu, unsigned int index)
{
	uint64_t regs[CORE_REGS_ARM64] = { 0 };

	if (read_regs(vcpu, regs)) {
		log_error("vCPU %u: its registers can't be read", index);
		return;
	}
	log_error("vCPU %u: pc %016llx sp %016llx pstate %08llx", index, (unsigned long long)regs[32],
		  (unsigned long long)regs[31], (unsigned long long)regs[33]);
	for (unsigned int i = 0; i < 31; i += 4)
		log_error("vCPU %u: x%-2u %016llx %016llx %016llx %016llx", index, i,
			  (unsigned long long)regs[i], (unsigned long long)regs[i + 1],
			  (unsigned long long)regs[i + 2], i + 3 < 31 ? (unsigned long long)regs[i + 3] : 0);
	for (size_t i = 0; i < COUNT(system_regs); i++) {
		uint64_t value;

		if (sys_get_reg(vcpu, system_regs[i].id, &value) == 0)
			log_debug("vCPU %u: %s %016llx", index, system_regs[i].name,
				  (unsigned long long)value);
	}
}
