// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC, the 8259s, the 8254 and port 61h, the RTC's interrupts. Lines are driven by the
 * board's test-lines: a port for each.
 */
#include "apic.h"

#define LINES		0x2000
#define LINE		11		/* nobody else's */
#define LINE2		10
#define VECTOR		0x51
#define VECTOR2		0x61

static void line_set(unsigned int line, bool level)
{
	out8(LINES + line, level);
}

static void pulse(unsigned int line)
{
	line_set(line, true);
	line_set(line, false);
}

/* Interrupts on for a while; how many of @vector came. */
static u32 came(unsigned int vector, u64 us)
{
	u32 before = irqs_of(vector);

	irqs_enable();
	delay_us(us);
	irqs_disable();
	return irqs_of(vector) - before;
}

/* ---- I/O APIC ---- */

static void test_ioapic_registers(void)
{
	u32 version = ioapic_read(1);

	check((version & 0xff) >= 0x11 && (version & 0xff) < 0x30);
	check_eq(version >> 16 & 0xff, 23);
	for (unsigned int pin = 0; pin < 24; pin++)
		check_eq(ioapic_read(IOAPIC_PIN(pin)) & RTE_MASKED, RTE_MASKED);
	ioapic_write(IOAPIC_PIN(LINE) + 1, 0xffffffff);
	check_eq(ioapic_read(IOAPIC_PIN(LINE) + 1), 0xff000000);
	ioapic_write(IOAPIC_PIN(LINE), 0xffffffff);
	/* delivery status and remote IRR are the chip's */
	check_eq(ioapic_read(IOAPIC_PIN(LINE)) & 0x1ffff, 0x1afff);
	ioapic_write(IOAPIC_PIN(LINE), RTE_MASKED);
	ioapic_write(IOAPIC_PIN(LINE) + 1, 0);
	/* beyond the last */
	check_eq(ioapic_read(0x40), 0);
	ioapic_write(0x40, 0xffffffff);
	ioapic_write(0, 5 << 24);
	check_eq(ioapic_read(0), 5 << 24);
	ioapic_write(0, 0);
	/* the select register keeps what it was given */
	write32(IOAPIC, 0x12);
	check_eq(read32(IOAPIC), 0x12);
}

static void test_ioapic_edge(void)
{
	ioapic_route(LINE, VECTOR);
	pulse(LINE);
	check_eq(came(VECTOR, 50), 1);
	line_set(LINE, true);
	check_eq(came(VECTOR, 50), 1);
	check_eq(came(VECTOR, 50), 0);		/* high is no edge */
	line_set(LINE, true);
	check_eq(came(VECTOR, 50), 0);
	line_set(LINE, false);
	check_eq(came(VECTOR, 50), 0);
	check_eq(ioapic_read(IOAPIC_PIN(LINE)) & RTE_REMOTE_IRR, 0);
	/* two before it is taken are one */
	pulse(LINE);
	pulse(LINE);
	check_eq(came(VECTOR, 50), 1);
	ioapic_route(LINE, RTE_MASKED);
}

/* An edge while it is masked is lost, or comes once; it is never more. */
static void test_ioapic_masked_edge(void)
{
	ioapic_route(LINE, RTE_MASKED | VECTOR);
	pulse(LINE);
	check_eq(came(VECTOR, 50), 0);
	ioapic_route(LINE, VECTOR);
	check(came(VECTOR, 50) <= 1);
	check_eq(came(VECTOR, 50), 0);
	ioapic_route(LINE, RTE_MASKED);
}

static bool remote_irr(void)
{
	return ioapic_read(IOAPIC_PIN(LINE)) & RTE_REMOTE_IRR;
}

static u32 levels, levels_wanted;

/* Lets go of the line at the levels_wanted'th. */
static void take_level(struct frame *frame)
{
	(void)frame;
	check(remote_irr());
	check(apic_bit(APIC_TMR, VECTOR));
	if (++levels >= levels_wanted)
		line_set(LINE, false);
	check(remote_irr());			/* until EOI */
	apic_eoi();
}

static void test_ioapic_level(void)
{
	levels = 0;
	levels_wanted = 3;
	handlers[VECTOR] = take_level;
	ioapic_route(LINE, RTE_LEVEL | VECTOR);
	check(!remote_irr());
	line_set(LINE, true);
	check(remote_irr());
	check_eq(came(VECTOR, 200), 3);		/* again after each EOI while it is high */
	check_eq(levels, 3);
	check(!remote_irr());
	check_eq(came(VECTOR, 50), 0);
	/* low before it is taken: it comes all the same, once */
	levels = 0;
	levels_wanted = 1;
	pulse(LINE);
	check(came(VECTOR, 50) <= 1);
	check(!remote_irr());
	handlers[VECTOR] = NULL;
	ioapic_route(LINE, RTE_MASKED);
}

static void test_ioapic_masked_level(void)
{
	levels = 0;
	levels_wanted = 1;
	handlers[VECTOR] = take_level;
	ioapic_route(LINE, RTE_LEVEL | RTE_MASKED | VECTOR);
	line_set(LINE, true);
	check_eq(came(VECTOR, 50), 0);
	check(!remote_irr());
	ioapic_write(IOAPIC_PIN(LINE), RTE_LEVEL | VECTOR);	/* unmasked while high: now */
	check_eq(came(VECTOR, 100), 1);
	handlers[VECTOR] = NULL;
	ioapic_route(LINE, RTE_MASKED);
	check(!remote_irr());
}

/* A new vector written while the old one is in service: its EOI still ends it. */
static void take_and_mask(struct frame *frame)
{
	(void)frame;
	ioapic_write(IOAPIC_PIN(LINE), RTE_LEVEL | RTE_MASKED | VECTOR);
	check(remote_irr());
	apic_eoi();
	check(!remote_irr());
	levels++;
}

static void test_ioapic_mask_in_service(void)
{
	levels = 0;
	handlers[VECTOR] = take_and_mask;
	ioapic_route(LINE, RTE_LEVEL | VECTOR);
	line_set(LINE, true);
	check_eq(came(VECTOR, 100), 1);
	check_eq(levels, 1);
	ioapic_write(IOAPIC_PIN(LINE), RTE_LEVEL | VECTOR);	/* still high */
	check(remote_irr());
	line_set(LINE, false);
	check_eq(came(VECTOR, 100), 1);
	handlers[VECTOR] = NULL;
	ioapic_route(LINE, RTE_MASKED);
	check_eq(came(VECTOR, 50), 0);
}

static void test_ioapic_low_active(void)
{
	/* Its polarity is between chip and device: our lines say what they mean. */
	ioapic_route(LINE, RTE_LOW | VECTOR);
	pulse(LINE);
	check(came(VECTOR, 50) <= 2);
	ioapic_route(LINE, RTE_MASKED);
}

static void test_ioapic_two_lines(void)
{
	ioapic_route(LINE, VECTOR);
	ioapic_route(LINE2, VECTOR2);
	pulse(LINE);
	pulse(LINE2);
	irqs_enable();
	delay_us(100);
	irqs_disable();
	check_eq(irqs_of(VECTOR2) > 0, 1);
	ioapic_route(LINE2, VECTOR);		/* both to one vector */
	pulse(LINE2);
	check_eq(came(VECTOR, 50), 1);
	ioapic_route(LINE, RTE_MASKED);
	ioapic_route(LINE2, RTE_MASKED);
}

static bool idle_over;
static void idle(void)
{
	irqs_enable();
	while (!__atomic_load_n(&idle_over, __ATOMIC_ACQUIRE))
		pause();
	irqs_disable();
}

static void test_ioapic_destinations(void)
{
	if (cpu_count() < 2) {
		test_skip("one CPU");
		return;
	}
	idle_over = false;
	check(cpu_start(1, idle));
	ioapic_route(LINE, 1ULL << 56 | VECTOR);
	pulse(LINE);
	check(wait_for(cpus[1].irqs[VECTOR] == 1, SECOND));
	ioapic_route(LINE, 0xffULL << 56 | VECTOR2);
	pulse(LINE);
	check(wait_for(cpus[1].irqs[VECTOR2] == 1, SECOND));
	check_eq(came(VECTOR2, 50), 1);
	__atomic_store_n(&idle_over, true, __ATOMIC_RELEASE);
	check(cpu_wait_done(1));
	ioapic_route(LINE, RTE_MASKED);
	/* as an NMI */
	ioapic_route(LINE, 0x400);
	{
		u32 before = irqs_of(NMI);

		pulse(LINE);
		check(wait_for(irqs_of(NMI) == before + 1, SECOND));
	}
	ioapic_route(LINE, RTE_MASKED);
}

/* ---- the 8259s ---- */

#define PIC1		0x20
#define PIC2		0xa0
#define ELCR		0x4d0
#define PIC_BASE	0x70

static void pic_init(u8 icw4)
{
	out8(PIC1, 0x11);
	out8(PIC1 + 1, PIC_BASE);
	out8(PIC1 + 1, 4);
	out8(PIC1 + 1, icw4);
	out8(PIC2, 0x11);
	out8(PIC2 + 1, PIC_BASE + 8);
	out8(PIC2 + 1, 2);
	out8(PIC2 + 1, icw4);
	out8(PIC1 + 1, 0xff);
	out8(PIC2 + 1, 0xff);
	apic_write(APIC_LVT_LINT0, 0x700);	/* ExtINT */
}

static void pic_fini(void)
{
	pic_mask_all();
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
}

static void pic_unmask(unsigned int line)
{
	out8(PIC1 + 1, line < 8 ? ~(1 << line) : ~4);
	out8(PIC2 + 1, line < 8 ? 0xff : ~(1 << (line - 8)));
}

static u8 pic_read(u16 port, bool isr)
{
	out8(port, isr ? 0x0b : 0x0a);
	return in8(port);
}

static u32 pics, pic_vector;

static void take_pic(struct frame *frame)
{
	pics++;
	pic_vector = frame->vector;
	if (frame->vector >= PIC_BASE + 8)
		out8(PIC2, 0x20);
	out8(PIC1, 0x20);
}

static u32 pic_came(u64 us)
{
	pics = 0;
	irqs_enable();
	delay_us(us);
	irqs_disable();
	return pics;
}

static void pic_handlers(void (*fn)(struct frame *frame))
{
	for (unsigned int i = 0; i < 16; i++)
		handlers[PIC_BASE + i] = fn;
}

static void test_pic_edge(void)
{
	pic_init(1);
	pic_handlers(take_pic);
	for (unsigned int line = 3; line < 16; line += 8) {
		pic_unmask(line);
		line_set(line, true);
		check(pic_read(line < 8 ? PIC1 : PIC2, false) & 1 << line % 8);
		check_eq(pic_came(50), 1);
		check_eq(pic_vector, PIC_BASE + line);
		check_eq(pic_read(PIC1, true), 0);
		check_eq(pic_read(PIC2, true), 0);
		check_eq(pic_came(50), 0);
		line_set(line, false);
	}
	/* masked: kept while the line is high */
	pic_mask_all();
	line_set(LINE, true);
	check_eq(pic_came(50), 0);
	pic_unmask(LINE);
	check_eq(pic_came(50), 1);
	line_set(LINE, false);
	pic_handlers(NULL);
	pic_fini();
}

static void take_pic_level(struct frame *frame)
{
	if (pics + 1 >= levels_wanted)
		line_set(LINE, false);
	take_pic(frame);
}

static void test_pic_level(void)
{
	u8 elcr = in8(ELCR + 1);

	pic_init(1);
	pic_handlers(take_pic_level);
	out8(ELCR + 1, elcr | 1 << (LINE - 8));
	check_eq(in8(ELCR + 1), elcr | 1 << (LINE - 8));
	pic_unmask(LINE);
	levels_wanted = 3;
	line_set(LINE, true);
	check_eq(pic_came(200), 3);
	out8(ELCR + 1, elcr);
	pic_handlers(NULL);
	pic_fini();
}

static void test_pic_auto_eoi(void)
{
	pic_init(3);
	pic_handlers(take_pic);
	pic_unmask(LINE);
	for (unsigned int i = 0; i < 3; i++) {
		line_set(LINE, true);
		check_eq(pic_came(50), 1);
		line_set(LINE, false);
	}
	check_eq(pic_read(PIC1, true), 0);
	check_eq(pic_read(PIC2, true), 0);
	pic_handlers(NULL);
	pic_fini();
}

/* The line is low again when it is acknowledged: line 7's, and nothing in service. */
static void test_pic_spurious(void)
{
	pic_init(1);
	pic_handlers(take_pic);
	out8(PIC1 + 1, 0);
	out8(PIC2 + 1, 0xff);
	line_set(5, true);
	line_set(5, false);
	pics = 0;
	check(pic_came(50) <= 1);
	check(!pics || pic_vector == PIC_BASE + 7 || pic_vector == PIC_BASE + 5);
	check_eq(pic_read(PIC1, true), 0);
	pic_handlers(NULL);
	pic_fini();
}

static void test_pic_registers(void)
{
	pic_init(1);
	out8(PIC1 + 1, 0xa5);
	check_eq(in8(PIC1 + 1), 0xa5);
	out8(PIC2 + 1, 0x5a);
	check_eq(in8(PIC2 + 1), 0x5a);
	pic_fini();
	/* lines 0, 1, 2, 8 and 13 are edges for good */
	out8(ELCR, 0xff);
	check_eq(in8(ELCR), 0xf8);
	out8(ELCR + 1, 0xff);
	check_eq(in8(ELCR + 1), 0xde);
	out8(ELCR, 0);
	out8(ELCR + 1, 0);
}

/* ---- the 8254 ---- */

#define PIT0		0x40
#define PIT2		0x42
#define PIT_MODE	0x43
#define PORT_B		0x61
#define PIT_HZ		1193182

static void pit_set(unsigned int counter, unsigned int mode, u16 count)
{
	out8(PIT_MODE, counter << 6 | 0x30 | mode << 1);
	out8(PIT0 + counter, count);
	out8(PIT0 + counter, count >> 8);
}

static u16 pit_read(unsigned int counter)
{
	u16 low;

	out8(PIT_MODE, counter << 6);
	low = in8(PIT0 + counter);
	return low | in8(PIT0 + counter) << 8;
}

static void test_pit_counts(void)
{
	u16 first, second;

	pit_set(0, 2, 0);
	first = pit_read(0);
	delay_us(1000);
	second = pit_read(0);
	check((u16)(first - second) >= PIT_HZ / 1000 - 2);
	check((u16)(first - second) < 20 * PIT_HZ / 1000);
	/* one byte at a time */
	out8(PIT_MODE, 0x10 | 4);
	out8(PIT0, 0x80);
	out8(PIT_MODE, 0);
	check(in8(PIT0) <= 0x80);
	/* status by read-back: mode 2, low byte, not null */
	delay_us(100);
	out8(PIT_MODE, 0xe2);
	check_eq(in8(PIT0) & 0x3f, 0x14);
	pit_set(0, 0, 0xffff);
}

static void test_pit_interrupts(void)
{
	static const struct { u8 mode; bool repeats; } modes[] = {
		{ 0, false }, { 2, true }, { 3, true }, { 4, false },
	};

	ioapic_route(2, VECTOR);
	for (unsigned int i = 0; i < ARRAY_SIZE(modes); i++) {
		u32 n;

		came(VECTOR, 10);
		pit_set(0, modes[i].mode, PIT_HZ / 1000);
		n = came(VECTOR, 10500);
		if (!check(modes[i].repeats ? n >= 5 && n <= 12 : n == 1))
			print("# mode %u: %u\n", modes[i].mode, n);
	}
	pit_set(0, 0, 0xffff);			/* no end soon */
	ioapic_route(2, RTE_MASKED);
	came(VECTOR, 10);
}

/* By the PIC too, line 0. */
static void test_pit_by_pic(void)
{
	pic_init(1);
	pic_handlers(take_pic);
	pic_unmask(0);
	pit_set(0, 2, PIT_HZ / 1000);
	check(pic_came(5500) >= 3);
	check_eq(pic_vector, PIC_BASE);
	pit_set(0, 0, 0xffff);
	pic_handlers(NULL);
	pic_fini();
}

static void test_port_b(void)
{
	out8(PORT_B, 0);
	pit_set(2, 0, PIT_HZ / 1000);
	check_eq(in8(PORT_B) & 0x23, 0);	/* gate off: its output stays low */
	delay_us(3000);
	check_eq(in8(PORT_B) & 0x20, 0);
	out8(PORT_B, 1);			/* gate on */
	pit_set(2, 0, PIT_HZ / 1000);
	check_eq(in8(PORT_B) & 0x21, 1);
	check(wait_for(in8(PORT_B) & 0x20, SECOND));
	check_eq(in8(PORT_B) & 3, 1);
	out8(PORT_B, 3);
	check_eq(in8(PORT_B) & 3, 3);
	out8(PORT_B, 0);
	/* the refresh bit goes to and fro */
	{
		u8 first = in8(PORT_B) & 0x10;

		check(wait_for((in8(PORT_B) & 0x10) != first, SECOND));
	}
}

/* ---- the RTC ---- */

static u8 rtc_read(u8 index)
{
	out8(0x70, index);
	return in8(0x71);
}

static void rtc_write(u8 index, u8 value)
{
	out8(0x70, index);
	out8(0x71, value);
}

static void test_rtc(void)
{
	u8 b = rtc_read(0xb);

	check(rtc_read(0xd) & 0x80);		/* the battery is good */
	rtc_write(0x40, 0x5a);
	check_eq(rtc_read(0x40), 0x5a);
	rtc_write(0xb, b | 6);			/* 24 hours, binary */
	check(rtc_read(0) < 60);
	check(rtc_read(2) < 60);
	check(rtc_read(4) < 24);
	check(rtc_read(7) >= 1 && rtc_read(7) <= 31);
	check(rtc_read(8) >= 1 && rtc_read(8) <= 12);
	rtc_write(0xb, b);
}

/* The UART's: level, by its line, as long as it has room. */
static void test_uart_line(void)
{
	delay_us(2000);
	ioapic_route(COM1_IRQ, VECTOR);
	out8(COM1 + 4, 8);			/* MCR.OUT2 opens its line */
	out8(COM1 + 1, 2);			/* transmitter empty */
	check_eq(came(VECTOR, 100), 1);
	check_eq(in8(COM1 + 2) & 0xf, 2);
	out8(COM1 + 1, 0);
	check_eq(in8(COM1 + 2) & 0xf, 1);
	out8(COM1 + 4, 0);
	ioapic_route(COM1_IRQ, RTE_MASKED);
}

const struct test tests[] = {
	TEST(ioapic_registers),
	TEST(ioapic_edge),
	TEST(ioapic_masked_edge),
	TEST(ioapic_level),
	TEST(ioapic_masked_level),
	TEST(ioapic_mask_in_service),
	TEST(ioapic_low_active),
	TEST(ioapic_two_lines),
	TEST(ioapic_destinations),
	TEST(pic_registers),
	TEST(pic_edge),
	TEST(pic_level),
	TEST(pic_auto_eoi),
	TEST(pic_spurious),
	TEST(pit_counts),
	TEST(pit_interrupts),
	TEST(pit_by_pic),
	TEST(port_b),
	TEST(rtc),
	TEST(uart_line),
	{},
};
