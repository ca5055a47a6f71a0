// SPDX-License-Identifier: GPL-2.0-only
#include "exits.h"
#include "gic.h"
#include "psci.h"
#include "timer.h"

#define UARTFR		0x18
#define SGI_OWN		7

/* Answered without leaving the guest's world. */
static void exit_hvc_fast(void)
{
	psci_hvc(PSCI_VERSION, 0, 0, 0);
}

static void exit_hvc(void)
{
	psci_hvc(PSCI_AFFINITY_INFO64, 0, 0, 0);
}

static void exit_smc(void)
{
	psci_smc(PSCI_VERSION, 0, 0, 0);
}

static void exit_mmio_user(void)
{
	read32(UART_BASE + UARTFR);
}

static void exit_mmio_kernel(void)
{
	read32(GICD + GICD_TYPER);
}

static void exit_id_register(void)
{
	read_sysreg(id_aa64pfr0_el1);
}

static void exit_sysreg(void)
{
	read_sysreg(cntpct_el0);
}

static void exit_undefined(void)
{
	fault_of("mrs x9, S3_0_C15_C7_7" : : : "x9");
}

static void exit_nobody(void)
{
	fault_of("ldr w9, [%0]" : : "r"(NOBODY) : "x9", "memory");
}

static void exit_wfe(void)
{
	asm volatile("sev\n wfe\n wfe" : : : "memory");
}

/* Masked: WFI ends, nobody takes it. */
static void exit_wfi(void)
{
	gic_enable(cpu_index(), timer_intid(TIMER_VIRT));
	timer_start(TIMER_VIRT, 100);
	wfi();
	timer_stop(TIMER_VIRT);
}

static void exit_sgi(void)
{
	gic_sgi(cpu_index(), SGI_OWN);
	check_eq(gic_ack_wait(), SGI_OWN);
	gic_eoi(SGI_OWN);
}

/* Long enough for the host to take interrupts, and to run something else. */
static void exit_host_interrupt(void)
{
	delay_us(5000);
}

const struct exit_kind exit_kinds[] = {
	{ .name = "hvc answered early", .fn = exit_hvc_fast },
	{ .name = "hvc", .fn = exit_hvc },
	{ .name = "smc", .fn = exit_smc },
	{ .name = "mmio to the launcher", .fn = exit_mmio_user },
	{ .name = "mmio in the kernel", .fn = exit_mmio_kernel },
	{ .name = "id register", .fn = exit_id_register },
	{ .name = "system register", .fn = exit_sysreg },
	{ .name = "undefined", .fn = exit_undefined, .takes_exception = true },
	{ .name = "nobody's address", .fn = exit_nobody, .takes_exception = true },
	{ .name = "wfe", .fn = exit_wfe },
	{ .name = "wfi", .fn = exit_wfi },
	{ .name = "sgi", .fn = exit_sgi },
	{ .name = "host interrupt", .fn = exit_host_interrupt },
	{},
};
