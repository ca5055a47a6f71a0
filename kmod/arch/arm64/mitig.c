// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an exit does before its first indirect branch, so that a guest cannot steer the host's
 * speculation (Spectre v2, Spectre-BHB). Each pCPU chooses one of entry.S's vector tables when it
 * comes online, as Arm's "Spectre-BHB" white paper (1.7, 4.2) and the SMCCC (DEN0028, 7.5) say; a
 * CPU that needs nothing gets the table that does nothing.
 *
 * Whether the host wants it: mitigations=off is asked of the kernel. For nospectre_bhb there is
 * nobody to ask, so we look at what the host has done with its own exception vectors.
 */
#include <linux/arm-smccc.h>
#include <linux/cpu.h>
#include <linux/moduleparam.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <asm/cpufeature.h>
#include <asm/mmu.h>
#include <asm/sysreg.h>

#include "arm64.h"
#include "el2_regs.h"

enum mitig_kind {
	MITIG_NONE,
	MITIG_LOOP,		/* branch k times: the history is full of known branches */
	MITIG_CLRBHB,
	MITIG_FIRMWARE,		/* SMCCC call */
	MITIG_KINDS,
};

static const char * const kind_names[] = {
	[MITIG_NONE] = "none", [MITIG_LOOP] = "loop", [MITIG_CLRBHB] = "clrbhb",
	[MITIG_FIRMWARE] = "firmware",
};

static char *mitig_force;
module_param_named(mitigation, mitig_force, charp, 0444);
MODULE_PARM_DESC(mitigation, "all exits: none, loop, clrbhb, firmware (test; default: as needed)");

DEFINE_PER_CPU(struct arm64_vectors, qvm_arm64_vectors_cpu);

struct mitig {
	enum mitig_kind kind;
	u32 operand;		/* loop: k; firmware: function */
	const char *why;
	const char *host;	/* what the host's vectors do */
};

static DEFINE_PER_CPU(struct mitig, mitig);

/* What a guest is told of ARCH_WORKAROUND_1, 2, 3: the worst of all pCPUs. */
struct arm64_workarounds arm64_workarounds = {
	.wa1 = SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED,
	.wa2 = SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED,
	.wa3 = SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED,
};

/* ---- the CPUs ---- */

/* White paper, table 3: branches that fill the history. By implementer and part number. */
static const struct { u8 implementer; u16 part; u8 k; } loop_cpus[] = {
	{ 0x41, 0xd0b, 24 },	/* Cortex-A76 */
	{ 0x41, 0xd0e, 24 },	/* Cortex-A76AE */
	{ 0x41, 0xd0d, 24 },	/* Cortex-A77 */
	{ 0x41, 0xd0c, 24 },	/* Neoverse N1 */
	{ 0x41, 0xd41, 32 },	/* Cortex-A78 */
	{ 0x41, 0xd42, 32 },	/* Cortex-A78AE */
	{ 0x41, 0xd4b, 32 },	/* Cortex-A78C */
	{ 0x41, 0xd47, 32 },	/* Cortex-A710 */
	{ 0x41, 0xd44, 32 },	/* Cortex-X1 */
	{ 0x41, 0xd4c, 32 },	/* Cortex-X1C */
	{ 0x41, 0xd48, 32 },	/* Cortex-X2 */
	{ 0x41, 0xd40, 32 },	/* Neoverse V1 */
	{ 0x41, 0xd49, 32 },	/* Neoverse N2 */
	{ 0x41, 0xd4d, 38 },	/* Cortex-A715 */
	{ 0x41, 0xd81, 38 },	/* Cortex-A720 */
	{ 0x41, 0xd4e, 132 },	/* Cortex-X3 */
	{ 0x41, 0xd4f, 132 },	/* Neoverse V2 */
	{ 0x41, 0xd07, 8 },	/* Cortex-A57 */
	{ 0x41, 0xd08, 8 },	/* Cortex-A72 */
	{ 0x48, 0xd01, 32 },	/* HiSilicon TSV110 */
	{ 0x48, 0xd02, 24 },	/* HiSilicon HIP09 */
	{ 0x51, 0x804, 24 },	/* Qualcomm Kryo 4xx Gold */
	{ 0x6d, 0xd49, 32 },	/* Azure Cobalt 100 */
	{ 0xc0, 0xac3, 11 },	/* AmpereOne */
};

static u32 loop_count(void)
{
	u32 midr = read_cpuid_id();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(loop_cpus); i++)
		if (MIDR_IMPLEMENTOR(midr) == loop_cpus[i].implementer &&
		    MIDR_PARTNUM(midr) == loop_cpus[i].part)
			return loop_cpus[i].k;
	return 0;
}

/* ID_AA64MMFR1_EL1.ECBHB: an exception from a lower level leaves no history. */
static bool has_ecbhb(void)
{
	return (read_sysreg(id_aa64mmfr1_el1) >> 60) & 15;
}

/* ID_AA64ISAR2_EL1.CLRBHB */
static bool has_clrbhb(void)
{
	return (read_sysreg_s(sys_reg(3, 0, 0, 6, 2)) >> 28) & 15;
}

/* What the firmware says of function @id on this CPU. */
static s32 firmware_has(u32 id)
{
	struct arm_smccc_res res = {};

	/* EL2 has no one above it but EL3. */
	if (arm_smccc_1_1_get_conduit() != SMCCC_CONDUIT_SMC)
		return SMCCC_RET_NOT_SUPPORTED;
	arm_smccc_1_1_smc(ARM_SMCCC_ARCH_FEATURES_FUNC_ID, id, &res);
	return (s32)res.a0;
}

/* ---- the host's own vectors ---- */

#define INSN_CLRBHB	0xd50322dfU
#define INSN_SMC	0xd4000003U
#define INSN_B_NEXT	0x14000001U	/* b . + 4 */
#define VECTOR_LOWER_SYNC 0x400
#define VECTOR_INSNS	32

/*
 * The step that the host takes when user space enters it: Linux has each kind inline in a vector of
 * its own. With the kernel unmapped at EL0 the vector in use now isn't that one.
 */
static const char *host_step(void)
{
	const u32 *vector = (const u32 *)(read_sysreg(vbar_el1) + VECTOR_LOWER_SYNC);
	u32 insn[VECTOR_INSNS];
	unsigned int i;

	if (arm64_kernel_unmapped_at_el0())
		return NULL;
	if (copy_from_kernel_nofault(insn, vector, sizeof(insn)))
		return NULL;
	for (i = 0; i < VECTOR_INSNS; i++) {
		if (insn[i] == INSN_CLRBHB)
			return "clrbhb";
		if (insn[i] == INSN_SMC)
			return "firmware";
		if (insn[i] == INSN_B_NEXT)
			return "loop";
	}
	return "none";
}

/* ---- the choice ---- */

static struct mitig mitig_of(enum mitig_kind kind, u32 operand, const char *why)
{
	return (struct mitig){ .kind = kind, .operand = operand, .why = why, .host = host_step() };
}

static struct mitig choose_forced(void)
{
	u32 k = loop_count();

	switch (match_string(kind_names, MITIG_KINDS, mitig_force)) {
	case MITIG_LOOP:
		return mitig_of(MITIG_LOOP, k ?: 32, "parameter");
	case MITIG_CLRBHB:
		return mitig_of(MITIG_CLRBHB, 0, "parameter");
	case MITIG_FIRMWARE:
		return mitig_of(MITIG_FIRMWARE, ARM_SMCCC_ARCH_WORKAROUND_3, "parameter");
	default:
		return mitig_of(MITIG_NONE, 0, "parameter");
	}
}

static struct mitig choose_bhb(void)
{
	const char *host = host_step();
	u32 k = loop_count();

	if (has_ecbhb())
		return mitig_of(MITIG_NONE, 0, "Spectre-BHB: exceptions clear the history (ECBHB)");
	if (host && !strcmp(host, "none") &&
	    (has_clrbhb() || k || firmware_has(ARM_SMCCC_ARCH_WORKAROUND_3) == 0))
		return mitig_of(MITIG_NONE, 0, "Spectre-BHB: as the host, nothing (nospectre_bhb)");
	if (has_clrbhb())
		return mitig_of(MITIG_CLRBHB, 0, "Spectre-BHB");
	if (k)
		return mitig_of(MITIG_LOOP, k, "Spectre-BHB");
	if (firmware_has(ARM_SMCCC_ARCH_WORKAROUND_3) == 0)
		return mitig_of(MITIG_FIRMWARE, ARM_SMCCC_ARCH_WORKAROUND_3, "Spectre-BHB");
	return mitig_of(MITIG_NONE, 0, "Spectre-BHB: vulnerable, no remedy is there");
}

static struct mitig choose(bool v2, bool bhb)
{
	struct mitig bhb_step;

	if (mitig_force)
		return choose_forced();
	if (!v2 && !bhb)
		return mitig_of(MITIG_NONE, 0, "not affected");
	if (cpu_mitigations_off())
		return mitig_of(MITIG_NONE, 0, "vulnerable, mitigations=off");
	bhb_step = bhb ? choose_bhb() : mitig_of(MITIG_NONE, 0, "");
	/* WORKAROUND_3 does what WORKAROUND_1 does, and that one clears the history too. */
	if (!v2 || bhb_step.kind == MITIG_FIRMWARE)
		return bhb_step;
	if (firmware_has(ARM_SMCCC_ARCH_WORKAROUND_1) == 0)
		return mitig_of(MITIG_FIRMWARE, ARM_SMCCC_ARCH_WORKAROUND_1, "Spectre v2");
	return bhb_step.kind ? bhb_step :
	       mitig_of(MITIG_NONE, 0, "Spectre v2: vulnerable, the firmware has no remedy");
}

/* ---- what guests are told ---- */

/* From best to worst: not needed, done by every exit, not done. */
static s32 worse(s32 a, s32 b)
{
	if (a < 0 || b < 0)
		return SMCCC_RET_NOT_SUPPORTED;
	return min(a, b);
}

static s32 state_of(bool affected, bool done)
{
	if (!affected)
		return SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED;
	return done ? SMCCC_RET_SUCCESS : SMCCC_RET_NOT_SUPPORTED;
}

/*
 * The call itself does nothing more: the exit that it makes took the step. WORKAROUND_2 is for CPUs
 * without PSTATE.SSBS: the host has the mitigation on whenever the kernel runs, and a guest is
 * entered from it, so it is on for good, and cannot be switched.
 */
static void tell_guests(const struct mitig *step, bool v2, bool bhb, bool v4)
{
	struct arm64_workarounds *wa = &arm64_workarounds;
	bool firmware = step->kind == MITIG_FIRMWARE;

	wa->wa1 = worse(wa->wa1, state_of(v2, firmware));
	wa->wa3 = worse(wa->wa3, state_of(bhb, step->kind || has_ecbhb()));
	if (arm64_host.has_ssbs)
		wa->wa2 = SMCCC_RET_NOT_SUPPORTED;
	else if (v4)
		wa->wa2 = worse(wa->wa2, !cpu_mitigations_off() &&
				firmware_has(ARM_SMCCC_ARCH_WORKAROUND_2) == 0 ?
				SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED : SMCCC_RET_NOT_SUPPORTED);
}

void arm64_mitig_cpu_up(void)
{
	static const char * const vectors[] = {
		[MITIG_NONE] = qvm_arm64_vectors,
		[MITIG_LOOP] = qvm_arm64_vectors_loop,
		[MITIG_CLRBHB] = qvm_arm64_vectors_clrbhb,
		[MITIG_FIRMWARE] = qvm_arm64_vectors_firmware,
	};
	bool v2 = this_cpu_has_cap(ARM64_SPECTRE_V2), bhb = this_cpu_has_cap(ARM64_SPECTRE_BHB);
	struct mitig step = choose(v2, bhb);

	*this_cpu_ptr(&mitig) = step;
	__this_cpu_write(qvm_arm64_vectors_cpu.base, (u64)vectors[step.kind]);
	__this_cpu_write(qvm_arm64_vectors_cpu.operand, step.operand);
	__this_cpu_write(qvm_arm64_vectors_cpu.kind, step.kind);
	tell_guests(&step, v2, bhb, this_cpu_has_cap(ARM64_SPECTRE_V4));
}

void qvm_arch_mitigations_show(struct seq_file *m)
{
	int cpu;

	for_each_online_cpu(cpu) {
		const struct mitig *step = per_cpu_ptr(&mitig, cpu);

		seq_printf(m, "cpu%d: exit: %s", cpu, kind_names[step->kind]);
		if (step->operand)
			seq_printf(m, step->kind == MITIG_LOOP ? " %u" : " %x", step->operand);
		seq_printf(m, ": %s; the host's own vectors: %s\n", step->why, step->host ?: "unknown");
	}
	seq_puts(m, "all: entry: speculation barrier behind ERET\n");
	seq_printf(m, "guests: ARCH_WORKAROUND_1 %d, _2 %d, _3 %d\n", arm64_workarounds.wa1,
		   arm64_workarounds.wa2, arm64_workarounds.wa3);
	arm64_errata_show(m);
}
