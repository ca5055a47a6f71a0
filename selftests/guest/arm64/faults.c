// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses and instructions that have to fail, and how: class and status code of the syndrome, the
 * address, the instruction; and that the guest goes on after it.
 */
#include "gic.h"
#include "timer.h"

#define ROM		0x50000000ULL	/* where faults.yaml has one */
#define RAM_END		(RAM_BASE + (64ULL << 20))

/* ---- nobody's addresses ---- */

/* @insn at a known address, with %[a] the address and w9, x10 free. */
#define ACCESS(insn, addr)								\
	({										\
		u64 pc_;								\
		fault_expect();								\
		asm volatile("adr %0, 1f\n1: " insn : "=&r"(pc_) : [a] "r"((u64)(addr))	\
			     : "x9", "x10", "memory");					\
		struct fault fault_ = fault_taken();					\
		check_eq(fault_.count, 1);						\
		check_eq(fault_.elr, pc_);					\
		fault_;									\
	})

/* An external abort of an access from EL1, synchronous, FAR valid. */
static void check_abort(const struct fault *fault, u64 far)
{
	check_eq(ESR_EC(fault->esr), EC_DABT_EL1);
	check_eq(ESR_FSC(fault->esr), FSC_EXTERNAL);
	check(fault->esr & ESR_IL);
	check(!(fault->esr & BIT(10)));		/* FnV */
	check_eq(fault->far, far);
	check_eq(fault->vector, 4);		/* EL1h, synchronous */
}

#define ABORTS(insn, addr)				\
	({						\
		struct fault f_ = ACCESS(insn, addr);	\
		check_abort(&f_, addr);			\
		f_;					\
	})

static void test_loads_from_nobody(void)
{
	ABORTS("ldr w9, [%[a]]", NOBODY);
	ABORTS("ldr x9, [%[a]]", NOBODY + 8);
	ABORTS("ldrb w9, [%[a]]", NOBODY + 3);
	ABORTS("ldrsh x9, [%[a]]", NOBODY + 2);
	ABORTS("ldr w9, [%[a]]", NOBODY_NORMAL + 0x124);
	ABORTS("ldr w9, [%[a]]", RAM_END);
	ABORTS("ldr w9, [%[a]]", RAM_BASE - 4);
	ABORTS("ldr w9, [%[a]]", GICR(cpu_count()));
	ABORTS("ldr w9, [%[a]]", UART_BASE + 0x1000);
	ABORTS("ldr w9, [%[a]]", 0x7000000000ULL);
	ABORTS("ldr w9, [%[a]]", 0);
}

static void test_stores_to_nobody(void)
{
	ABORTS("str w9, [%[a]]", NOBODY);
	ABORTS("strb wzr, [%[a]]", NOBODY + 1);
	ABORTS("str xzr, [%[a]]", NOBODY_NORMAL);
	ABORTS("stp x9, x10, [%[a]]", NOBODY_NORMAL);
	ABORTS("stlr w9, [%[a]]", NOBODY_NORMAL);
}

/* The target register keeps what it had. */
static void test_target_is_kept(void)
{
	u64 value = 0x123456789abcdef0;

	fault_expect();
	asm volatile("ldr %w0, [%1]" : "+r"(value) : "r"(NOBODY) : "memory");
	check_eq(fault_taken().count, 1);
	check_eq(value, 0x123456789abcdef0);
}

static void test_write_back_is_not_done(void)
{
	u64 addr = NOBODY;

	fault_expect();
	asm volatile("ldr w9, [%0], #4" : "+r"(addr) : : "x9", "memory");
	check_eq(fault_taken().count, 1);
	check_eq(addr, NOBODY);
}

/* ---- fetches ---- */

static struct fault fetch_at(u64 addr)
{
	fault_expect();
	asm volatile("blr %0" : : "r"(addr) : "x30", "memory");
	return fault_taken();
}

static void test_fetch_from_nobody(void)
{
	struct fault fault = fetch_at(NOBODY_NORMAL);

	check_eq(fault.count, 1);
	check_eq(ESR_EC(fault.esr), EC_IABT_EL1);
	check_eq(ESR_FSC(fault.esr), FSC_EXTERNAL);
	check_eq(fault.far, NOBODY_NORMAL);
	check_eq(fault.elr, NOBODY_NORMAL);
}

/* ---- device registers, in ways that no syndrome describes ---- */

static void test_undescribed_accesses(void)
{
	u64 at = GICD + GIC_IPRIORITYR + SPI;

	ABORTS("ldp w9, w10, [%[a]]", at);
	ABORTS("stp w9, w10, [%[a]]", at);
	ABORTS("ldr w9, [%[a]], #4", at);
	ABORTS("str w9, [%[a], #0]!", at);
	ABORTS("ldp w9, w10, [%[a]]", UART_BASE + 0x24);
	/* and the device is as it was */
	check_eq(read32(at), 0);
}

/* The guest's own fault, by its memory type; emulators that do not look at that let us answer. */
static void test_unaligned_device(void)
{
	struct fault fault = ACCESS("ldr w9, [%[a]]", GICD + 2);

	check_eq(ESR_EC(fault.esr), EC_DABT_EL1);
	check(ESR_FSC(fault.esr) == FSC_ALIGNMENT || ESR_FSC(fault.esr) == FSC_EXTERNAL);
	check_eq(fault.far, GICD + 2);
}

/* ---- ROM ---- */

static void test_rom(void)
{
	u64 rom = read64(ROM);
	struct fault fault;

	check_eq(rom, 0);
	fault = ABORTS("str w9, [%[a]]", ROM + 16);
	check(fault.esr & ESR_WNR);
	ABORTS("stp x9, x10, [%[a]]", ROM + 32);
	ABORTS("strb w9, [%[a]]", ROM + 0xffff);
	check_eq(read64(ROM + 16), 0);
	check_eq(read64(ROM + 32), 0);
	ABORTS("ldr w9, [%[a]]", ROM + 0x10000);
	/* code runs there: zeros are an undefined instruction */
	fault = fetch_at(ROM);
	check(fault.count >= 1);
}

/* ---- cache maintenance by address: of nobody's it does nothing ---- */

static void test_cache_maintenance(void)
{
	static u64 line[8] __attribute__((aligned(64)));

	line[0] = 1;
	asm volatile("dc civac, %0\n dc cvac, %0\n dc cvau, %0\n dsb sy" : : "r"(line) : "memory");
	check_eq(line[0], 1);
	check_eq(fault_of("dc zva, %0" : : "r"(line) : "memory").count, 0);
	check_eq(line[0], 0);
	fault_of("dc civac, %0" : : "r"(NOBODY_NORMAL) : "memory");
}

/* ---- addresses translated by AT: the guest's own stage, as far as it goes ---- */

static void test_address_translation(void)
{
	asm volatile("at s1e1r, %0\n isb" : : "r"(RAM_BASE));
	check_eq(read_sysreg(par_el1) & 1, 0);
	check_eq(read_sysreg(par_el1) & 0x0000fffffffff000, RAM_BASE);
	asm volatile("at s1e1w, %0\n isb" : : "r"(1ULL << 50));
	check_eq(read_sysreg(par_el1) & 1, 1);
}

/* ---- instructions that are not there ---- */

#define UNDEFINED(insn) check(is_undefined(fault_of(insn : : : "x9", "memory")))

static void test_unknown_registers(void)
{
	UNDEFINED("mrs x9, S3_0_C15_C7_7");
	UNDEFINED("msr S3_0_C15_C7_7, x9");
	UNDEFINED("mrs x9, S3_3_C15_C0_0");
	UNDEFINED("mrs x9, S3_2_C15_C9_6");
	UNDEFINED("mrs x9, S3_7_C15_C12_5");
	UNDEFINED("mrs x9, S3_0_C11_C3_2");
	UNDEFINED("mrs x9, S2_0_C0_C15_7");		/* a breakpoint that is not there */
}

static void test_el2_and_el3(void)
{
	UNDEFINED("mrs x9, hcr_el2");
	UNDEFINED("msr vbar_el2, x9");
	UNDEFINED("mrs x9, S3_4_C12_C11_0");		/* ICH_HCR_EL2 */
	UNDEFINED("mrs x9, S3_5_C1_C0_0");		/* SCTLR_EL12 */
	UNDEFINED("mrs x9, scr_el3");
	UNDEFINED("mrs x9, S3_4_C14_C0_3");		/* CNTVOFF_EL2 */
	UNDEFINED("tlbi alle1");
	UNDEFINED("at s12e1r, x9");
}

static void test_pmu(void)
{
	UNDEFINED("mrs x9, pmcr_el0");
	UNDEFINED("msr pmcr_el0, x9");
	UNDEFINED("mrs x9, pmccntr_el0");
	UNDEFINED("msr pmcntenset_el0, x9");
	UNDEFINED("msr pmuserenr_el0, x9");
	UNDEFINED("msr pmintenclr_el1, x9");
	UNDEFINED("mrs x9, pmevcntr0_el0");
	UNDEFINED("mrs x9, pmccfiltr_el0");
	UNDEFINED("mrs x9, S3_0_C9_C9_0");		/* PMSCR_EL1 */
}

/* With CPACR_EL1.ZEN and SMEN zero the CPU's own trap to EL1 would come before any other. */
static void test_hidden_vectors(void)
{
	u64 cpacr = read_sysreg(cpacr_el1);

	write_sysreg(cpacr | 3 << 16 | 3 << 24, cpacr_el1);
	isb();
	UNDEFINED("mrs x9, S3_0_C1_C2_0");		/* ZCR_EL1 */
	UNDEFINED("mrs x9, S3_0_C1_C2_6");		/* SMCR_EL1 */
	UNDEFINED(".inst 0x04bf5009");			/* RDVL x9, #0 */
	write_sysreg(cpacr, cpacr_el1);
	isb();
}

/* Not here: DISR_EL1, which no trap covers on CPUs with RAS and without fine-grained traps. */
static void test_hidden_features(void)
{
	UNDEFINED("mrs x9, S3_0_C2_C1_0");		/* APIAKEYLO_EL1 */
	UNDEFINED("msr S3_0_C2_C3_1, x9");		/* APGAKEYHI_EL1 */
	UNDEFINED("mrs x9, S3_0_C5_C6_0");		/* TFSR_EL1: MTE */
	UNDEFINED("mrs x9, S3_0_C1_C0_6");		/* GCR_EL1 */
	UNDEFINED("mrs x9, S3_0_C10_C4_0");		/* LORSA_EL1 */
	UNDEFINED("mrs x9, S3_0_C5_C3_0");		/* ERRIDR_EL1 */
	UNDEFINED("mrs x9, S3_0_C5_C4_0");		/* ERXFR_EL1 */
	UNDEFINED("mrs x9, S3_3_C13_C2_0");		/* AMCR_EL0 */
	UNDEFINED("mrs x9, S3_0_C10_C5_1");		/* MPAM0_EL1 */
	UNDEFINED("mrs x9, S3_3_C13_C0_7");		/* SCXTNUM_EL0 */
	UNDEFINED("mrs x9, S3_0_C1_C2_1");		/* TRFCR_EL1 */
	UNDEFINED("mrs x9, S2_1_C0_C0_1");		/* TRCTRACEIDR… */
}

/* Registers of a debugger are there, and harmless; no external one is described. */
static void test_debug_registers(void)
{
	check_eq(read_sysreg(mdscr_el1), 0);
	check_eq(read_sysreg(mdrar_el1) & 3, 0);
	check_eq(read_sysreg(oslsr_el1) & (BIT(1) | BIT(3)), BIT(3));	/* there, and unlocked by firmware */
	write_sysreg(1, oslar_el1);
	check_eq(read_sysreg(oslsr_el1) & BIT(1), BIT(1));
	write_sysreg(0, oslar_el1);
	check_eq(read_sysreg(oslsr_el1) & BIT(1), 0);
	check_eq(fault_of("mrs x9, mdccsr_el0" : : : "x9").count, 0);
	check_eq(fault_of("mrs x9, dbgbvr0_el1" : : : "x9").count, 0);
	check_eq(fault_of("mrs x9, dbgwcr1_el1" : : : "x9").count, 0);
	check_eq(fault_of("msr osdlr_el1, xzr").count, 0);
}

/* HVC and SMC that are no call, and breakpoints: the guest's own. */
static void test_own_exceptions(void)
{
	struct fault fault = fault_of("svc #0x123\n nop");	/* the handler skips the nop */

	check_eq(ESR_EC(fault.esr), EC_SVC);
	check_eq(fault.esr & 0xffff, 0x123);
	fault = fault_of("brk #0x42");
	check_eq(ESR_EC(fault.esr), 0x3c);
	check_eq(fault.esr & 0xffff, 0x42);
	UNDEFINED(".inst 0");
	UNDEFINED("hlt #0");
}

/* PSTATE of an exception: flags and mode as they were, all of DAIF set in the handler. */
static void test_saved_state(void)
{
	struct fault fault;

	fault_expect();
	asm volatile("cmp xzr, xzr\n mrs x9, S3_0_C15_C7_7" : : : "x9", "cc", "memory");
	fault = fault_taken();
	check_eq(fault.spsr >> 28, 6);
	check_eq(fault.spsr & 0xf, 5);
	check_eq(fault.spsr & 0x3c0, 0x3c0);
}

/* ---- waiting ---- */

static void test_wait_for_event(void)
{
	asm volatile("sevl\n wfe\n sev\n wfe" : : : "memory");
	for (unsigned int i = 0; i < 10; i++)
		asm volatile("wfe" : : : "memory");
	asm volatile("yield" : : : "memory");
	check(true);
}

const struct test tests[] = {
	TEST(loads_from_nobody),
	TEST(stores_to_nobody),
	TEST(target_is_kept),
	TEST(write_back_is_not_done),
	TEST(fetch_from_nobody),
	TEST(undescribed_accesses),
	TEST(unaligned_device),
	TEST(rom),
	TEST(cache_maintenance),
	TEST(address_translation),
	TEST(unknown_registers),
	TEST(el2_and_el3),
	TEST(pmu),
	TEST(hidden_vectors),
	TEST(hidden_features),
	TEST(debug_registers),
	TEST(own_exceptions),
	TEST(saved_state),
	TEST(wait_for_event),
	{},
};
