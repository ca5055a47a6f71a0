// SPDX-License-Identifier: GPL-2.0-only
/*
 * Errata on the path of a hypervisor: each one that Linux knows for arm64 CPUs, with what becomes
 * of it here. Four states: handled (the module does something, always or by a flag below), not
 * applicable (and why), open (nobody can do anything: a hostile guest can use it, the log says so),
 * refused (the module does not load, by name).
 *
 * The CPUs are matched here by MIDR, not by the kernel's capabilities: an older kernel lacks the
 * newer ones. A guest sees the same MIDR and so does its own part of a remedy by itself.
 */
#include <linux/bitmap.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <asm/cputype.h>

#include "arm64.h"

enum erratum_state { HANDLED, NOT_APPLICABLE, OPEN, REFUSED };

/* One kind of CPU; versions are variant << 4 | revision. */
struct cpu_span {
	u8 implementer;
	u16 part;
	u8 min, max;
};

struct erratum {
	const char *name;
	enum erratum_state state;
	int fix;			/* ARM64_FIX_* that its CPUs switch on */
	const struct cpu_span *cpus;	/* ends with part 0; NULL: not a matter of the CPU */
	const char *what;
};

#define SPAN(imp, part, min, max)	{ imp, part, min, max }
#define ALL(imp, part)			{ imp, part, 0, 0xff }
#define CPUS(...)	((const struct cpu_span[]){ __VA_ARGS__, {} })

#define ARM		0x41
#define BROADCOM	0x42
#define CAVIUM		0x43
#define FUJITSU		0x46
#define HISILICON	0x48
#define NVIDIA		0x4e
#define QUALCOMM	0x51
#define MICROSOFT	0x6d
#define APPLE		0x61
#define AMPERE		0xc0

#define A53		0xd03
#define A55		0xd05
#define A57		0xd07
#define A72		0xd08
#define A73		0xd09
#define A76		0xd0b
#define N1		0xd0c
#define A77		0xd0d
#define A76AE		0xd0e
#define V1		0xd40
#define A78		0xd41
#define A78AE		0xd42
#define X1		0xd44
#define A510		0xd46
#define A710		0xd47
#define X2		0xd48
#define N2		0xd49		/* Microsoft's Cobalt 100 has the same number */
#define A78C		0xd4b
#define X1C		0xd4c
#define A715		0xd4d
#define X3		0xd4e
#define V2		0xd4f
#define A520		0xd80
#define A720		0xd81
#define X4		0xd82
#define V3AE		0xd83
#define V3		0xd84
#define X925		0xd85
#define A725		0xd87
#define C1_PRO		0xd8b
#define C1_ULTRA	0xd8c
#define N3		0xd8e
#define C1_PREMIUM	0xd90
#define KRYO_2XX_SILVER	0x801
#define KRYO_4XX_GOLD	0x804
#define KRYO_4XX_SILVER	0x805

#define NO_AARCH32	"guests have no AArch32"
#define NO_TRBE		"of the host's trace driver; trace is off, and drained by TSB CSYNC, in a guest"
#define NO_HAFDBS	"VTCR_EL2.{HA,HD} are 0: stage 2 has no hardware-managed flags"
#define TLBI_TWICE	"broadcast TLBI and DSB are made twice"
#define GUESTS_OWN	"of stage 1: the guest's kernel knows by MIDR_EL1"

static const struct erratum errata[] = {
	/* ---- translation ---- */
	{ "1165522", HANDLED, ARM64_FIX_SPECULATIVE_AT,
	  CPUS(SPAN(ARM, A76, 0, 0x20)),
	  "stage 1 and 2 loaded before TGE is cleared; no walks while another VM is flushed" },
	{ "1530923", HANDLED, ARM64_FIX_SPECULATIVE_AT,
	  CPUS(SPAN(ARM, A55, 0, 0x20), SPAN(QUALCOMM, KRYO_4XX_SILVER, 0xde, 0xde)),
	  "as 1165522" },
	{ "1319367, 1319537", HANDLED, 0, CPUS(ALL(ARM, A57), ALL(ARM, A72)),
	  "no stage 1 walks while stage 2 and EL1's registers change hands" },
	{ "1286807", HANDLED, ARM64_FIX_REPEAT_TLBI,
	  CPUS(SPAN(ARM, A76, 0, 0x30), SPAN(QUALCOMM, KRYO_4XX_GOLD, 0xce, 0xfe)),
	  TLBI_TWICE },
	{ "2441007", HANDLED, ARM64_FIX_REPEAT_TLBI, CPUS(ALL(ARM, A55)), TLBI_TWICE },
	{ "2441009", HANDLED, ARM64_FIX_REPEAT_TLBI, CPUS(SPAN(ARM, A510, 0, 0x11)), TLBI_TWICE },
	{ "4118414", HANDLED, ARM64_FIX_REPEAT_TLBI,
	  CPUS(ALL(ARM, A76), ALL(ARM, A76AE), ALL(ARM, A77), ALL(ARM, A78), ALL(ARM, A78AE),
	       ALL(ARM, A78C), ALL(ARM, A710), ALL(ARM, X1), ALL(ARM, X1C), ALL(ARM, X2),
	       ALL(ARM, X3), ALL(ARM, X4), ALL(ARM, X925), ALL(ARM, N1), ALL(ARM, N2), ALL(ARM, V1),
	       ALL(ARM, V2), ALL(ARM, V3), ALL(ARM, V3AE), ALL(ARM, C1_ULTRA), ALL(ARM, C1_PREMIUM),
	       ALL(NVIDIA, 0x010), ALL(MICROSOFT, N2)),
	  TLBI_TWICE },
	{ "Falkor E1009", HANDLED, ARM64_FIX_REPEAT_TLBI,
	  CPUS(SPAN(QUALCOMM, 0x800, 0, 0), ALL(QUALCOMM, 0xc00)), TLBI_TWICE },
	{ "AmpereOne AC04_CPU_23", HANDLED, ARM64_FIX_HCR_DSB, CPUS(ALL(AMPERE, 0xac4)),
	  "DSB before each write of HCR_EL2, ISB behind" },
	{ "AmpereOne AC03_CPU_36", HANDLED, 0, CPUS(ALL(AMPERE, 0xac3)),
	  "all of DAIF is masked while HCR_EL2.{TGE,AMO,IMO,FMO} change" },
	{ "AmpereOne AC03_CPU_38", NOT_APPLICABLE, 0, CPUS(ALL(AMPERE, 0xac3), ALL(AMPERE, 0xac4)),
	  NO_HAFDBS "; a guest that sets TCR_EL1.{HA,HD}, which it is told it has not, harms itself" },
	{ "1024718", NOT_APPLICABLE, 0, CPUS(ALL(ARM, A55)), NO_HAFDBS },
	{ "2051678", NOT_APPLICABLE, 0, CPUS(SPAN(ARM, A510, 0, 0x02)), NO_HAFDBS },
	{ "2645198", NOT_APPLICABLE, 0, CPUS(ALL(ARM, A715)),
	  "of pages that lose execute permission while in use: stage 2 never takes it from one" },
	{ "Carmel CnP", NOT_APPLICABLE, 0, CPUS(ALL(NVIDIA, 0x004)),
	  "VTTBR_EL2.CnP is 0; at stage 1 the guest's kernel knows by MIDR_EL1" },
	{ "ThunderX2 219", HANDLED, ARM64_FIX_KEEP_TVM,
	  CPUS(ALL(BROADCOM, 0x516), ALL(CAVIUM, 0x0af)),
	  "the guest's writes of TTBRn_EL1 always trap (HCR_EL2.TVM)" },
	{ "Falkor E1003", NOT_APPLICABLE, 0, CPUS(SPAN(QUALCOMM, 0x800, 0, 0)), GUESTS_OWN },
	{ "Falkor E1041", NOT_APPLICABLE, 0, CPUS(ALL(QUALCOMM, 0x800), ALL(QUALCOMM, 0xc00)),
	  "of switching the MMU off at the current level: never done here" },
	{ "A64FX 010001", NOT_APPLICABLE, 0, CPUS(SPAN(FUJITSU, 0x001, 0, 0x10)), GUESTS_OWN },
	{ "834220", HANDLED, ARM64_FIX_STAGE1_FIRST, CPUS(SPAN(ARM, A57, 0, 0x12)),
	  "stage 1 is asked at each abort that is said to be of stage 2" },
	{ "852523, 853709", NOT_APPLICABLE, 0, CPUS(ALL(ARM, A57), ALL(ARM, A72)), NO_AARCH32 },
	{ "4193714", NOT_APPLICABLE, 0, CPUS(ALL(ARM, C1_PRO)), "guests have no SME" },

	/* ---- caches ---- */
	{ "1542419", HANDLED, ARM64_FIX_IC_DESPITE_DIC, CPUS(ALL(ARM, N1)),
	  "the I-cache is invalidated even where CTR_EL0.DIC says that it need not" },
	{ "826319, 827319, 824069, 819472", HANDLED, 0, CPUS(SPAN(ARM, A53, 0, 0x04)),
	  "no line is cleaned that is not invalidated, too" },
	{ "ThunderX 27456", NOT_APPLICABLE, 0, CPUS(ALL(CAVIUM, 0x0a1), ALL(CAVIUM, 0x0a2)), GUESTS_OWN },
	{ "Neoverse N1 1349291", NOT_APPLICABLE, 0, CPUS(ALL(ARM, N1)),
	  "of an SError of the host's own; one in a guest ends that VM" },

	/* ---- exceptions, debug, registers ---- */
	{ "1508412", OPEN, 0, CPUS(SPAN(ARM, A77, 0, 0x10)),
	  "a guest that mixes store exclusive with reads of PAR_EL1 can lock up its CPU: let trusted guests run alone" },
	{ "3194386", HANDLED, ARM64_FIX_SSBS_SYNC,
	  CPUS(ALL(ARM, A76), ALL(ARM, A77), ALL(ARM, A78), ALL(ARM, A78C), ALL(ARM, A710),
	       ALL(ARM, A715), ALL(ARM, A720), ALL(ARM, A725), ALL(ARM, X1), ALL(ARM, X1C),
	       ALL(ARM, X2), ALL(ARM, X3), ALL(ARM, X4), ALL(ARM, X925), ALL(ARM, N1), ALL(ARM, N2),
	       ALL(ARM, N3), ALL(ARM, V1), ALL(ARM, V2), ALL(ARM, V3), ALL(ARM, V3AE),
	       ALL(MICROSOFT, N2)),
	  "speculation barrier behind the write of PSTATE.SSBS at the exit" },
	{ "1463225", NOT_APPLICABLE, 0,
	  CPUS(SPAN(ARM, A76, 0, 0x31), SPAN(QUALCOMM, KRYO_4XX_GOLD, 0xce, 0xff)),
	  "of SVC taken to EL2 while stepped: a guest's SVC goes to its EL1" },
	{ "2077057", NOT_APPLICABLE, 0, CPUS(SPAN(ARM, A510, 0, 0x02)),
	  "of steps that are taken to EL2: MDCR_EL2.TDE is 0 in a guest" },
	{ "2966298", NOT_APPLICABLE, 0, CPUS(SPAN(ARM, A520, 0, 0x01)),
	  "of the host's return to EL0; an exit ends in the host's EL2" },
	{ "3117295", NOT_APPLICABLE, 0, CPUS(ALL(ARM, A510)), "as 2966298" },
	{ "1742098, 1655431", NOT_APPLICABLE, 0, CPUS(ALL(ARM, A57), ALL(ARM, A72)), NO_AARCH32 },
	{ "832075", OPEN, 0, CPUS(SPAN(ARM, A57, 0, 0x12)),
	  "a guest that mixes exclusive and device loads can lock up its CPU: let trusted guests run alone" },
	{ "843419", HANDLED, 0, CPUS(SPAN(ARM, A53, 0, 0x04), ALL(BROADCOM, 0x100)),
	  "by who loads modules; EL2's program has no ADRP" },
	{ "845719", NOT_APPLICABLE, 0,
	  CPUS(SPAN(ARM, A53, 0, 0x04), ALL(BROADCOM, 0x100), ALL(QUALCOMM, KRYO_2XX_SILVER)),
	  NO_AARCH32 },
	{ "2658417", NOT_APPLICABLE, 0, CPUS(SPAN(ARM, A510, 0, 0x11)),
	  "of BF16 arithmetic: the guest's kernel knows by MIDR_EL1" },
	{ "2457168", NOT_APPLICABLE, 0, CPUS(SPAN(ARM, A510, 0, 0x11)),
	  "of activity monitors: hidden and trapped (CPTR_EL2.TAM)" },

	/* ---- timers and interrupts ---- */
	{ "1188873, 1418040", NOT_APPLICABLE, 0,
	  CPUS(SPAN(ARM, A76, 0, 0x31), SPAN(ARM, N1, 0, 0x31), SPAN(QUALCOMM, KRYO_4XX_GOLD, 0xce, 0xff)),
	  "of the counter as AArch32 reads it: " NO_AARCH32 },
	{ "858921", HANDLED, 0, CPUS(ALL(ARM, A73)),
	  "of the counter, which is read as the kernel reads it; the guest's kernel knows by MIDR_EL1" },
	{ "A-008585, 161010101, UNKNOWN1", OPEN, 0, NULL,
	  "of counters of Freescale, HiSilicon and Allwinner chips: guests are not told to read twice" },
	{ "ThunderX 23154, 38545", NOT_APPLICABLE, 0,
	  CPUS(ALL(CAVIUM, 0x0a1), ALL(CAVIUM, 0x0a2), ALL(CAVIUM, 0x0a3)),
	  "of the acknowledge of a physical interrupt: the host's driver makes it" },
	{ "OcteonTX2 38545", HANDLED, ARM64_FIX_IAR,
	  CPUS(ALL(CAVIUM, 0x0b1), ALL(CAVIUM, 0x0b2), ALL(CAVIUM, 0x0b3), ALL(CAVIUM, 0x0b4),
	       ALL(CAVIUM, 0x0b5), ALL(CAVIUM, 0x0b6)),
	  "the host's driver alone acknowledges interrupts, the virtual timer's too" },
	{ "Oryon CNTVOFF", REFUSED, 0, CPUS(ALL(QUALCOMM, 0x001)),
	  "a virtual timer with an offset interrupts without end; no guest runs here" },
	{ "Apple SEIS", REFUSED, 0,
	  CPUS(ALL(APPLE, 0x022), ALL(APPLE, 0x023), ALL(APPLE, 0x024), ALL(APPLE, 0x025),
	       ALL(APPLE, 0x028), ALL(APPLE, 0x029), ALL(APPLE, 0x032), ALL(APPLE, 0x033),
	       ALL(APPLE, 0x034), ALL(APPLE, 0x035), ALL(APPLE, 0x038), ALL(APPLE, 0x039)),
	  "a guest could make the virtual CPU interface raise SErrors in the host; no guest runs here" },
	{ "ThunderX 30115", REFUSED, 0,
	  CPUS(ALL(CAVIUM, 0x0a1), ALL(CAVIUM, 0x0a2), ALL(CAVIUM, 0x0a3)),
	  "a guest could mask the host's interrupts; no guest runs here" },
	{ "22375, 23144, 38539, E0065, 161600802, 162100801, 3568002, 3588001, T241-FABRIC-4, 2941627, 4311569",
	  NOT_APPLICABLE, 0, NULL,
	  "of ITS and GIC in the host's driver: no LPI or SPI of hardware is a guest's" },
	{ "MMU-500 841119, 826419; MMU-600 1076982; MMU-700 2268618; SMMUv3 74, 126",
	  NOT_APPLICABLE, 0, NULL, "of the host's SMMU driver" },

	/* ---- trace and profiling ---- */
	{ "1902691", NOT_APPLICABLE, 0, CPUS(SPAN(ARM, A510, 0, 0x01)), NO_TRBE },
	{ "2038923, 2064142", NOT_APPLICABLE, 0, CPUS(SPAN(ARM, A510, 0, 0x02)), NO_TRBE },
	{ "2119858, 2139208, 2224489, 2253138", NOT_APPLICABLE, 0,
	  CPUS(ALL(ARM, A710), SPAN(ARM, X2, 0, 0x20), ALL(ARM, N2), ALL(MICROSOFT, N2)), NO_TRBE },
	{ "2054223, 2067961", HANDLED, 0, CPUS(ALL(ARM, A710), ALL(ARM, N2), ALL(MICROSOFT, N2)),
	  "TSB CSYNC is made twice" },
};

static const char * const state_names[] = {
	[HANDLED] = "handled", [NOT_APPLICABLE] = "not applicable", [OPEN] = "open",
	[REFUSED] = "refused",
};

atomic_t arm64_fixes;

/* The pCPU that this runs on. */
static bool erratum_matches(const struct erratum *erratum)
{
	u32 midr = read_cpuid_id();
	u8 version = MIDR_VARIANT(midr) << 4 | MIDR_REVISION(midr);
	const struct cpu_span *cpu;

	for (cpu = erratum->cpus; cpu && cpu->part; cpu++)
		if (MIDR_IMPLEMENTOR(midr) == cpu->implementer && MIDR_PARTNUM(midr) == cpu->part &&
		    version >= cpu->min && version <= cpu->max)
			return true;
	return false;
}

/* Which errata some pCPU has had: a line each, once. */
static DECLARE_BITMAP(seen, ARRAY_SIZE(errata));

int arm64_errata_cpu_up(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errata); i++) {
		const struct erratum *erratum = &errata[i];

		if (!erratum_matches(erratum))
			continue;
		if (erratum->state == REFUSED) {
			pr_err("qvm: CPU %u has erratum %s: %s\n", smp_processor_id(), erratum->name,
			       erratum->what);
			return -ENODEV;
		}
		atomic_or(erratum->fix, &arm64_fixes);
		if (test_and_set_bit(i, seen))
			continue;
		if (erratum->state == HANDLED)
			pr_info("qvm: erratum %s: %s\n", erratum->name, erratum->what);
		if (erratum->state == OPEN)
			pr_warn("qvm: erratum %s: %s\n", erratum->name, erratum->what);
	}
	return 0;
}

void arm64_errata_show(struct seq_file *m)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errata); i++)
		seq_printf(m, "erratum %s: %s%s: %s\n", errata[i].name,
			   test_bit(i, seen) ? "here, " : "", state_names[errata[i].state],
			   errata[i].what);
}
