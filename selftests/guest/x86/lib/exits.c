// SPDX-License-Identifier: GPL-2.0-only
#include "apic.h"
#include "exits.h"

#define VECTOR_TIMER	0x50
#define VECTOR_OWN	0x51

static void exit_cpuid(void)
{
	cpuid(0, 0);
}

static void exit_vmcall(void)
{
	u64 number = 0x7fff;		/* nobody has it */

	asm volatile("vmcall" : "+a"(number) : : "memory");
}

static void exit_msr(void)
{
	rdmsr(MSR_APIC_BASE);
}

static void exit_port_user(void)
{
	in8(COM1_SCRATCH);
}

static void exit_port_kernel(void)
{
	in8(0x21);
}

static void exit_port_string(void)
{
	static const char bytes[] = "\1\2\3\4";
	const char *at = bytes;
	u64 count = 4;

	asm volatile("rep outsb" : "+S"(at), "+c"(count) : "d"(COM1_SCRATCH) : "memory");
}

static void exit_mmio_kernel(void)
{
	ioapic_read(1);
}

static void exit_mmio_nobody(void)
{
	read32(NOBODY);
}

static void exit_cr(void)
{
	write_cr8(read_cr8());
	write_cr0(read_cr0());
	write_cr4(read_cr4());
}

static void exit_dr(void)
{
	write_dr0(read_dr0());
}

static void exit_wbinvd(void)
{
	asm volatile("wbinvd" : : : "memory");
}

static void exit_undefined(void)
{
	VECTOR_OF("vmxoff", : : "memory");
}

static void exit_fault(void)
{
	VECTOR_OF("rdmsr", : "c"(0x1fff) : "eax", "edx", "memory");
}

static void exit_pause(void)
{
	for (unsigned int i = 0; i < 10; i++)
		pause();
}

static void exit_hlt(void)
{
	u32 before = irqs_of(VECTOR_TIMER);

	apic_write(APIC_TIMER_DIV, DIV_BY_1);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic_write(APIC_TIMER_INIT, apic_ticks_of_us(200));
	while (irqs_of(VECTOR_TIMER) == before)
		hlt_enabled();
	apic_timer_stop();
}

static void exit_self_ipi(void)
{
	u32 before = irqs_of(VECTOR_OWN);

	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR_OWN);
	irqs_enable();
	check(wait_for(irqs_of(VECTOR_OWN) != before, SECOND));
	irqs_disable();
}

/* Long enough for the host to take interrupts, and to run something else. */
static void exit_host_interrupt(void)
{
	delay_us(5000);
}

const struct exit_kind exit_kinds[] = {
	{ "cpuid", exit_cpuid },
	{ "vmcall", exit_vmcall },
	{ "msr", exit_msr },
	{ "port of the launcher", exit_port_user },
	{ "port in the kernel", exit_port_kernel },
	{ "port string", exit_port_string },
	{ "mmio in the kernel", exit_mmio_kernel },
	{ "nobody's address", exit_mmio_nobody },
	{ "control registers", exit_cr },
	{ "debug registers", exit_dr },
	{ "wbinvd", exit_wbinvd },
	{ "undefined", exit_undefined },
	{ "general protection", exit_fault },
	{ "pause", exit_pause },
	{ "hlt", exit_hlt },
	{ "self ipi", exit_self_ipi },
	{ "host interrupt", exit_host_interrupt },
	{},
};
