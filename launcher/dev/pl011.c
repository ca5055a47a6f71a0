// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arm PL011 UART after the PrimeCell UART Technical Reference Manual, r1p5 ("TRM").
 *
 * The line is infinitely fast: a byte written is on the host before the next access, so the
 * transmit FIFO is always empty, and received bytes come in bursts with silence after each.
 */
#include "dev/pl011.h"

#include "util/lock.h"

#define WINDOW_SIZE	0x1000
#define FIFO_DEPTH	32

enum {
	UARTDR = 0x00, UARTRSR = 0x04, UARTFR = 0x18, UARTILPR = 0x20, UARTIBRD = 0x24,
	UARTFBRD = 0x28, UARTLCR_H = 0x2c, UARTCR = 0x30, UARTIFLS = 0x34, UARTIMSC = 0x38,
	UARTRIS = 0x3c, UARTMIS = 0x40, UARTICR = 0x44, UARTDMACR = 0x48,
	UART_LAST = UARTDMACR, ID_FIRST = 0xfe0,
};

enum {
	DR_OE = 1 << 11,
	RSR_OE = 1 << 3,

	FR_CTS = 1 << 0, FR_DSR = 1 << 1, FR_DCD = 1 << 2, FR_RXFE = 1 << 4, FR_RXFF = 1 << 6,
	FR_TXFE = 1 << 7, FR_RI = 1 << 8,
	FR_MODEM = FR_CTS | FR_DSR | FR_DCD | FR_RI,

	LCR_FEN = 1 << 4,

	CR_UARTEN = 1 << 0, CR_LBE = 1 << 7, CR_TXE = 1 << 8, CR_RXE = 1 << 9, CR_DTR = 1 << 10,
	CR_RTS = 1 << 11, CR_OUT1 = 1 << 12, CR_OUT2 = 1 << 13,

	INT_RI = 1 << 0, INT_CTS = 1 << 1, INT_DCD = 1 << 2, INT_DSR = 1 << 3,
	INT_RX = 1 << 4, INT_TX = 1 << 5, INT_RT = 1 << 6, INT_OE = 1 << 10,
	INT_ALL = 0x7ff,
};

#define TX_NONE		(-1)
#define LOOKS		8		/* a sender looks at UARTFR twice a byte: it finds TXFE, and no BUSY */
#define UNMASKED_NS	100000000	/* a driver has written UARTCR within this time */

struct pl011 {
	struct device *dev;
	struct chardev *chardev;
	struct device_timer *timer;	/* since the guest has unmasked reception */
	struct lock lock;		/* all below */
	uint32_t fifo[FIFO_DEPTH];	/* received: data and error bits, as UARTDR gives them */
	unsigned int first, count;
	int tx;				/* byte on its way to the host, or TX_NONE */
	bool overrun;			/* a byte was lost since the last one that fitted */
	bool cr_written;		/* by the guest, ever */
	bool listens;			/* it does, and has not written UARTCR */
	unsigned int looks;		/* at UARTFR since the last byte was sent */
	uint32_t rsr, ilpr, ibrd, fbrd, lcr_h, cr, ifls, imsc, ris, dmacr;
	uint32_t modem;			/* FR_MODEM bits, as they were last */
	uint64_t received, sent;
};

struct pl011_register {
	uint32_t (*read)(struct pl011 *uart);			/* NULL: reads as zero */
	void (*write)(struct pl011 *uart, uint32_t value);	/* NULL: ignored */
};

/* ---- receive FIFO ---- */

/* TRM 2.4.1: with the FIFOs off one holding register is left. */
static unsigned int fifo_depth(const struct pl011 *uart)
{
	return uart->lcr_h & LCR_FEN ? FIFO_DEPTH : 1;
}

/* TRM 3.3.9, RXIFLSEL: bytes in the FIFO that raise the receive interrupt. */
static unsigned int fifo_trigger(const struct pl011 *uart)
{
	static const unsigned int trigger[8] = {
		FIFO_DEPTH / 8, FIFO_DEPTH / 4, FIFO_DEPTH / 2, FIFO_DEPTH * 3 / 4,
		FIFO_DEPTH * 7 / 8, FIFO_DEPTH / 2, FIFO_DEPTH / 2, FIFO_DEPTH / 2, /* reserved */
	};

	return uart->lcr_h & LCR_FEN ? trigger[uart->ifls >> 3 & 7] : 1;
}

/*
 * UARTEN is 0 at reset (TRM table 3-1). A guest that leaves UARTCR alone trusts firmware to have set it,
 * which this board doesn't have: it receives as soon as it shows that it listens. Not before, for what
 * comes before a driver has set the UART up would be lost with that.
 */
static bool can_receive(const struct pl011 *uart)
{
	return uart->listens || (uart->cr & (CR_UARTEN | CR_RXE)) == (CR_UARTEN | CR_RXE);
}

/* TRM 2.8.3 and 2.8.5: what is latched when a byte came in and silence follows. */
static void fifo_put(struct pl011 *uart, uint8_t byte)
{
	if (uart->count >= fifo_depth(uart)) {
		uart->overrun = true;
		uart->rsr |= RSR_OE;
		uart->ris |= INT_OE;
		return;
	}
	uart->fifo[(uart->first + uart->count) % FIFO_DEPTH] = byte | (uart->overrun ? DR_OE : 0);
	uart->overrun = false;
	uart->count++;
	uart->received++;
	if (uart->count == fifo_trigger(uart))
		uart->ris |= INT_RX;
	if (uart->lcr_h & LCR_FEN)
		uart->ris |= INT_RT;
}

static uint32_t fifo_get(struct pl011 *uart)
{
	uint32_t value;

	if (uart->count == 0)
		return 0;
	value = uart->fifo[uart->first];
	uart->first = (uart->first + 1) % FIFO_DEPTH;
	uart->count--;
	if (uart->count < fifo_trigger(uart))
		uart->ris &= ~(uint32_t)INT_RX;
	if (uart->count == 0)
		uart->ris &= ~(uint32_t)INT_RT;
	return value;
}

static void listen(struct pl011 *uart)
{
	uart->listens = !uart->cr_written;
}

/* ---- modem lines ---- */

/* TRM 3.3.8, LBE: outputs come back as inputs. Else a cable with a ready peer is plugged in. */
static uint32_t modem_lines(const struct pl011 *uart)
{
	if (!(uart->cr & CR_LBE))
		return FR_CTS | FR_DSR | FR_DCD;
	return (uart->cr & CR_RTS ? FR_CTS : 0) | (uart->cr & CR_DTR ? FR_DSR : 0) |
	       (uart->cr & CR_OUT1 ? FR_DCD : 0) | (uart->cr & CR_OUT2 ? FR_RI : 0);
}

/* TRM 2.8.1: each line has an interrupt for its change. */
static void modem_update(struct pl011 *uart)
{
	uint32_t now = modem_lines(uart), changed = now ^ uart->modem;

	uart->modem = now;
	uart->ris |= (changed & FR_CTS ? INT_CTS : 0) | (changed & FR_DSR ? INT_DSR : 0) |
		     (changed & FR_DCD ? INT_DCD : 0) | (changed & FR_RI ? INT_RI : 0);
}

/* ---- registers ---- */

static uint32_t read_dr(struct pl011 *uart)
{
	uint32_t value = fifo_get(uart);

	listen(uart);
	uart->rsr = value >> 8 & 0xf;	/* TRM 3.3.2: status of the byte just read */
	return value;
}

/*
 * TRM 2.8.4: the transmit interrupt comes from a transition through the level. Each byte makes
 * one, for it leaves at once. UARTEN and TXE are not asked for: an early console writes before
 * any driver has set them, trusting firmware that this board doesn't have.
 */
static void write_dr(struct pl011 *uart, uint32_t value)
{
	uart->sent++;
	uart->looks = 0;
	uart->ris |= INT_TX;
	if (!(uart->cr & CR_LBE))
		uart->tx = (uint8_t)value;
	else if (can_receive(uart))
		fifo_put(uart, (uint8_t)value);
}

static uint32_t read_rsr(struct pl011 *uart)
{
	return uart->rsr;
}

static void write_ecr(struct pl011 *uart, uint32_t value)
{
	(void)value;		/* TRM 3.3.2: any value clears */
	uart->rsr = 0;
}

static uint32_t read_fr(struct pl011 *uart)
{
	if (++uart->looks >= LOOKS)
		listen(uart);
	return FR_TXFE | uart->modem | (uart->count == 0 ? FR_RXFE : 0) |
	       (uart->count >= fifo_depth(uart) ? FR_RXFF : 0);
}

static void write_lcr_h(struct pl011 *uart, uint32_t value)
{
	/* Switching the FIFOs on or off empties them. */
	if ((value ^ uart->lcr_h) & LCR_FEN) {
		uart->count = 0;
		uart->ris &= ~(uint32_t)(INT_RX | INT_RT);
	}
	uart->lcr_h = value & 0xff;
}

static void write_cr(struct pl011 *uart, uint32_t value)
{
	uart->cr = value & 0xff87;
	uart->cr_written = true;
	uart->listens = false;
	modem_update(uart);
}

static uint32_t read_mis(struct pl011 *uart)
{
	return uart->ris & uart->imsc;
}

static void write_icr(struct pl011 *uart, uint32_t value)
{
	uart->ris &= ~value;
}

/* Registers that only keep what is written. */
#define STORED(name, mask)						\
static uint32_t read_##name(struct pl011 *uart)				\
{									\
	return uart->name;						\
}									\
static void write_##name(struct pl011 *uart, uint32_t value)		\
{									\
	uart->name = value & (mask);					\
}

STORED(ilpr, 0xff)
STORED(ibrd, 0xffff)	/* the line has no speed: divisors have no effect */
STORED(fbrd, 0x3f)
STORED(ifls, 0x3f)
STORED(dmacr, 0x7)	/* there is no DMA controller on the board */

static uint32_t read_imsc(struct pl011 *uart)
{
	return uart->imsc;
}

/* Linux unmasks reception just before it writes UARTCR. */
static void write_imsc(struct pl011 *uart, uint32_t value)
{
	bool was = uart->imsc & (INT_RX | INT_RT), is = value & (INT_RX | INT_RT);

	uart->imsc = value & INT_ALL;
	if (was != is && !uart->cr_written)
		device_timer_set(uart->timer, is ? UNMASKED_NS : 0);
}

static uint32_t read_lcr_h(struct pl011 *uart)
{
	return uart->lcr_h;
}

static uint32_t read_cr(struct pl011 *uart)
{
	return uart->cr;
}

static uint32_t read_ris(struct pl011 *uart)
{
	return uart->ris;
}

/* TRM table 3-1 */
static const struct pl011_register registers[UART_LAST / 4 + 1] = {
	[UARTDR / 4]	= { read_dr, write_dr },
	[UARTRSR / 4]	= { read_rsr, write_ecr },
	[UARTFR / 4]	= { read_fr, NULL },
	[UARTILPR / 4]	= { read_ilpr, write_ilpr },
	[UARTIBRD / 4]	= { read_ibrd, write_ibrd },
	[UARTFBRD / 4]	= { read_fbrd, write_fbrd },
	[UARTLCR_H / 4]	= { read_lcr_h, write_lcr_h },
	[UARTCR / 4]	= { read_cr, write_cr },
	[UARTIFLS / 4]	= { read_ifls, write_ifls },
	[UARTIMSC / 4]	= { read_imsc, write_imsc },
	[UARTRIS / 4]	= { read_ris, NULL },
	[UARTMIS / 4]	= { read_mis, NULL },
	[UARTICR / 4]	= { NULL, write_icr },
	[UARTDMACR / 4]	= { read_dmacr, write_dmacr },
};

/* TRM 3.3.15, 3.3.16: UARTPeriphID0-3 (r1p5), UARTPCellID0-3 */
static const uint8_t ids[8] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static void update_irq(struct pl011 *uart)
{
	device_set_irq(uart->dev, (uart->ris & uart->imsc) != 0);
}

static uint64_t pl011_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct pl011 *uart = dev->state;
	uint64_t index = offset / 4;
	uint32_t value = 0;
	bool began;

	(void)len;	/* the register is on the lowest lanes of the bus, whatever the width */
	if (offset >= ID_FIRST)
		return ids[(offset - ID_FIRST) / 4] >> offset % 4 * 8;
	if (index > UART_LAST / 4 || !registers[index].read)
		return 0;
	lock_take(&uart->lock);
	began = !uart->listens;
	value = registers[index].read(uart);
	began = began && uart->listens;
	update_irq(uart);
	lock_give(&uart->lock);
	if (index == UARTDR / 4 || began)
		chardev_resume(uart->chardev);
	return value >> offset % 4 * 8;
}

static void pl011_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct pl011 *uart = dev->state;
	uint64_t index = offset / 4;
	int tx;

	(void)len;
	if (index > UART_LAST / 4 || !registers[index].write)
		return;
	lock_take(&uart->lock);
	registers[index].write(uart, (uint32_t)value << offset % 4 * 8);
	tx = uart->tx;
	uart->tx = TX_NONE;
	update_irq(uart);
	lock_give(&uart->lock);
	/* With no lock held: the host's reader may let us wait. */
	if (tx != TX_NONE)
		chardev_write(uart->chardev, (uint8_t)tx);
	if (index == UARTCR / 4 || index == UARTLCR_H / 4)
		chardev_resume(uart->chardev);
}

/* ---- back end ---- */

static size_t pl011_room(void *arg)
{
	struct pl011 *uart = arg;
	size_t room = 0;

	lock_take(&uart->lock);
	/* In loopback the line's own input is cut off. */
	if (can_receive(uart) && !(uart->cr & CR_LBE) && uart->count < fifo_depth(uart))
		room = fifo_depth(uart) - uart->count;
	lock_give(&uart->lock);
	return room;
}

static void pl011_receive(void *arg, const uint8_t *data, size_t size)
{
	struct pl011 *uart = arg;

	lock_take(&uart->lock);
	for (size_t i = 0; i < size; i++)
		fifo_put(uart, data[i]);
	update_irq(uart);
	lock_give(&uart->lock);
}

static const struct chardev_client client = {
	.room = pl011_room,
	.receive = pl011_receive,
};

/* Interrupts of reception are unmasked: does nobody set the UART up? */
static void unmasked(struct device *dev, void *arg)
{
	struct pl011 *uart = arg;

	(void)dev;
	lock_take(&uart->lock);
	if (uart->imsc & (INT_RX | INT_RT))
		listen(uart);
	lock_give(&uart->lock);
	chardev_resume(uart->chardev);
}

/* ---- life ---- */

static int pl011_create(struct device *dev)
{
	struct pl011 *uart = dev->state;
	int error;

	uart->dev = dev;
	uart->tx = TX_NONE;
	uart->cr = CR_TXE | CR_RXE;	/* TRM table 3-1: reset values */
	uart->ifls = 0x12;
	uart->modem = modem_lines(uart);
	device_post(dev, UARTDR);	/* at once where there is none of it */
	error = device_timer_create(dev, unmasked, uart, &uart->timer);
	if (error)
		return error;
	error = chardev_create(dev, &client, uart, &uart->chardev);
	if (error)
		device_timer_destroy(uart->timer);
	return error;
}

static void pl011_destroy(struct device *dev)
{
	struct pl011 *uart = dev->state;

	device_timer_destroy(uart->timer);
	chardev_destroy(uart->chardev);
}

static void pl011_status(struct device *dev)
{
	struct pl011 *uart = dev->state;

	lock_take(&uart->lock);
	device_log(dev, DEVICE_INFO, "pl011: sent %llu, received %llu, waiting %u, RIS %#x, IMSC %#x, "
		   "line %d", (unsigned long long)uart->sent, (unsigned long long)uart->received,
		   uart->count, uart->ris, uart->imsc, device_irq_level(dev));
	lock_give(&uart->lock);
}

/* Binding arm,pl011: Linux doesn't bind a PrimeCell without its apb_pclk. */
static void pl011_describe(const struct device *dev, struct device_node *node)
{
	(void)dev;
	device_node_clocks(node, "uartclk\0apb_pclk\0", 0);
}

const struct device_type pl011_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_HOSTDEV,
	.name = "pl011",
	.doc = "Arm PrimeCell UART",
	.compatible = "arm,pl011\0arm,primecell\0",
	.size = WINDOW_SIZE,
	.arch = DEVICE_ARM64,
	.state_size = sizeof(struct pl011),
	.describe = pl011_describe,
	.create = pl011_create,
	.destroy = pl011_destroy,
	.read = pl011_read,
	.write = pl011_write,
	.status = pl011_status,
};
