// SPDX-License-Identifier: GPL-2.0-only
/*
 * 16550A UART after the PC16550D data sheet (National Semiconductor, 1995; "PC16550D").
 *
 * The line is infinitely fast: the transmitter is always empty, and received bytes come in
 * bursts with silence after each.
 */
#include "dev/ns16550.h"

#include "util/lock.h"

#define WINDOW_SIZE	8
#define FIFO_DEPTH	16
#define CLOCK_HZ	1843200
#define TX_NONE		(-1)

enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

enum {
	IER_RDA = 1 << 0, IER_THRE = 1 << 1, IER_LINE = 1 << 2, IER_MODEM = 1 << 3, IER_ALL = 0xf,

	IIR_NONE = 0x01, IIR_MODEM = 0x00, IIR_THRE = 0x02, IIR_RDA = 0x04, IIR_LINE = 0x06,
	IIR_TIMEOUT = 0x0c, IIR_FIFO = 0xc0,

	FCR_ENABLE = 1 << 0, FCR_CLEAR_RX = 1 << 1, FCR_TRIGGER_SHIFT = 6,

	LCR_DLAB = 1 << 7,

	MCR_DTR = 1 << 0, MCR_RTS = 1 << 1, MCR_OUT1 = 1 << 2, MCR_OUT2 = 1 << 3,
	MCR_LOOP = 1 << 4, MCR_ALL = 0x1f,

	LSR_DR = 1 << 0, LSR_OE = 1 << 1, LSR_THRE = 1 << 5, LSR_TEMT = 1 << 6,

	MSR_DCTS = 1 << 0, MSR_DDSR = 1 << 1, MSR_TERI = 1 << 2, MSR_DDCD = 1 << 3,
	MSR_CTS = 1 << 4, MSR_DSR = 1 << 5, MSR_RI = 1 << 6, MSR_DCD = 1 << 7,
};

struct ns16550 {
	struct device *dev;
	struct chardev *chardev;
	struct lock lock;		/* all below */
	uint8_t fifo[FIFO_DEPTH];
	unsigned int first, count;
	int tx;				/* byte on its way to the host, or TX_NONE */
	bool thre_pending;		/* THRE interrupt, until IIR is read or THR written */
	bool overrun;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t lines, deltas;		/* MSR's high and low half */
	uint64_t received, sent;
};

struct ns16550_register {
	uint8_t (*read)(struct ns16550 *uart);
	void (*write)(struct ns16550 *uart, uint8_t value);	/* NULL: ignored */
};

/* ---- receive FIFO ---- */

static unsigned int fifo_depth(const struct ns16550 *uart)
{
	return uart->fcr & FCR_ENABLE ? FIFO_DEPTH : 1;
}

static unsigned int fifo_trigger(const struct ns16550 *uart)
{
	static const uint8_t trigger[4] = { 1, 4, 8, 14 };

	return uart->fcr & FCR_ENABLE ? trigger[uart->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

static void fifo_put(struct ns16550 *uart, uint8_t byte)
{
	if (uart->count >= fifo_depth(uart)) {
		uart->overrun = true;
		return;
	}
	uart->fifo[(uart->first + uart->count++) % FIFO_DEPTH] = byte;
	uart->received++;
}

static uint8_t fifo_get(struct ns16550 *uart)
{
	uint8_t byte;

	if (uart->count == 0)
		return 0;
	byte = uart->fifo[uart->first];
	uart->first = (uart->first + 1) % FIFO_DEPTH;
	uart->count--;
	return byte;
}

/* ---- interrupt ---- */

/* PC16550D table IV: the source of the highest priority. */
static uint8_t interrupt_id(const struct ns16550 *uart)
{
	if ((uart->ier & IER_LINE) && uart->overrun)
		return IIR_LINE;
	if ((uart->ier & IER_RDA) && uart->count >= fifo_trigger(uart))
		return IIR_RDA;
	/* Bytes below the trigger level and silence: the character timeout. */
	if ((uart->ier & IER_RDA) && uart->count > 0)
		return IIR_TIMEOUT;
	if ((uart->ier & IER_THRE) && uart->thre_pending)
		return IIR_THRE;
	if ((uart->ier & IER_MODEM) && uart->deltas)
		return IIR_MODEM;
	return IIR_NONE;
}

/* ---- modem lines ---- */

/* PC16550D 8.6.7: in loopback the outputs come back. Else a cable with a ready peer. */
static uint8_t modem_lines(const struct ns16550 *uart)
{
	if (!(uart->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (uart->mcr & MCR_RTS ? MSR_CTS : 0) | (uart->mcr & MCR_DTR ? MSR_DSR : 0) |
	       (uart->mcr & MCR_OUT1 ? MSR_RI : 0) | (uart->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void modem_update(struct ns16550 *uart)
{
	uint8_t now = modem_lines(uart), changed = now ^ uart->lines;

	/* Of RI only the trailing edge counts. */
	uart->deltas |= (changed & MSR_CTS ? MSR_DCTS : 0) | (changed & MSR_DSR ? MSR_DDSR : 0) |
			(changed & MSR_DCD ? MSR_DDCD : 0) |
			(changed & uart->lines & MSR_RI ? MSR_TERI : 0);
	uart->lines = now;
}

/* ---- registers ---- */

static bool dlab(const struct ns16550 *uart)
{
	return uart->lcr & LCR_DLAB;
}

static uint8_t read_rbr(struct ns16550 *uart)
{
	return dlab(uart) ? uart->dll : fifo_get(uart);
}

static void write_thr(struct ns16550 *uart, uint8_t value)
{
	if (dlab(uart)) {
		uart->dll = value;
		return;
	}
	uart->sent++;
	if (uart->mcr & MCR_LOOP)
		fifo_put(uart, value);
	else
		uart->tx = value;
	uart->thre_pending = true;	/* cleared by the write, set again as the byte leaves */
}

static uint8_t read_ier(struct ns16550 *uart)
{
	return dlab(uart) ? uart->dlm : uart->ier;
}

static void write_ier(struct ns16550 *uart, uint8_t value)
{
	if (dlab(uart)) {
		uart->dlm = value;
		return;
	}
	/* Enabling it while the transmitter is empty, as it always is, raises it. */
	if (value & ~uart->ier & IER_THRE)
		uart->thre_pending = true;
	uart->ier = value & IER_ALL;
}

static uint8_t read_iir(struct ns16550 *uart)
{
	uint8_t id = interrupt_id(uart);

	if (id == IIR_THRE)
		uart->thre_pending = false;
	return id | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static void write_fcr(struct ns16550 *uart, uint8_t value)
{
	if (((value ^ uart->fcr) & FCR_ENABLE) || (value & FCR_CLEAR_RX))
		uart->count = 0;
	/* The other bits can be written only together with the enable bit. */
	uart->fcr = value & FCR_ENABLE ? value : 0;
}

static uint8_t read_lcr(struct ns16550 *uart)
{
	return uart->lcr;
}

static void write_lcr(struct ns16550 *uart, uint8_t value)
{
	uart->lcr = value;
}

static uint8_t read_mcr(struct ns16550 *uart)
{
	return uart->mcr;
}

static void write_mcr(struct ns16550 *uart, uint8_t value)
{
	uart->mcr = value & MCR_ALL;
	modem_update(uart);
}

static uint8_t read_lsr(struct ns16550 *uart)
{
	uint8_t value = LSR_THRE | LSR_TEMT | (uart->count ? LSR_DR : 0) |
			(uart->overrun ? LSR_OE : 0);

	uart->overrun = false;
	return value;
}

static uint8_t read_msr(struct ns16550 *uart)
{
	uint8_t value = uart->lines | uart->deltas;

	uart->deltas = 0;
	return value;
}

static uint8_t read_scr(struct ns16550 *uart)
{
	return uart->scr;
}

static void write_scr(struct ns16550 *uart, uint8_t value)
{
	uart->scr = value;
}

/* PC16550D table II; LSR and MSR take no writes ("factory testing"). */
static const struct ns16550_register registers[WINDOW_SIZE] = {
	[RBR_THR]	= { read_rbr, write_thr },
	[IER]		= { read_ier, write_ier },
	[IIR_FCR]	= { read_iir, write_fcr },
	[LCR]		= { read_lcr, write_lcr },
	[MCR]		= { read_mcr, write_mcr },
	[LSR]		= { read_lsr, NULL },
	[MSR]		= { read_msr, NULL },
	[SCR]		= { read_scr, write_scr },
};

static void update_irq(struct ns16550 *uart)
{
	device_set_irq(uart->dev, interrupt_id(uart) != IIR_NONE);
}

static uint64_t ns16550_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct ns16550 *uart = dev->state;
	uint8_t value;

	(void)len;	/* the registers are a byte wide; in memory, on the lowest lane */
	lock_take(&uart->lock);
	value = registers[offset].read(uart);
	update_irq(uart);
	lock_give(&uart->lock);
	if (offset == RBR_THR)
		chardev_resume(uart->chardev);
	return value;
}

static void ns16550_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct ns16550 *uart = dev->state;
	int tx;

	(void)len;
	if (!registers[offset].write)
		return;
	lock_take(&uart->lock);
	registers[offset].write(uart, (uint8_t)value);
	tx = uart->tx;
	uart->tx = TX_NONE;
	update_irq(uart);
	lock_give(&uart->lock);
	/* With no lock held: the host's reader may let us wait. */
	if (tx != TX_NONE)
		chardev_write(uart->chardev, (uint8_t)tx);
	if (offset == IIR_FCR || offset == MCR)
		chardev_resume(uart->chardev);
}

/* ---- back end ---- */

static size_t ns16550_room(void *arg)
{
	struct ns16550 *uart = arg;
	size_t room = 0;

	lock_take(&uart->lock);
	if (!(uart->mcr & MCR_LOOP) && uart->count < fifo_depth(uart))
		room = fifo_depth(uart) - uart->count;
	lock_give(&uart->lock);
	return room;
}

static void ns16550_receive(void *arg, const uint8_t *data, size_t size)
{
	struct ns16550 *uart = arg;

	lock_take(&uart->lock);
	for (size_t i = 0; i < size; i++)
		fifo_put(uart, data[i]);
	update_irq(uart);
	lock_give(&uart->lock);
}

static const struct chardev_client client = {
	.room = ns16550_room,
	.receive = ns16550_receive,
};

/* ---- life ---- */

static int ns16550_create(struct device *dev)
{
	struct ns16550 *uart = dev->state;

	uart->dev = dev;
	uart->tx = TX_NONE;
	uart->lines = modem_lines(uart);
	device_post(dev, RBR_THR);	/* at once where there is none of it */
	return chardev_create(dev, &client, uart, &uart->chardev);
}

static void ns16550_destroy(struct device *dev)
{
	struct ns16550 *uart = dev->state;

	chardev_destroy(uart->chardev);
}

static void ns16550_status(struct device *dev)
{
	struct ns16550 *uart = dev->state;

	lock_take(&uart->lock);
	device_log(dev, DEVICE_INFO, "%s: sent %llu, received %llu, waiting %u, IER %#x, line %d",
		   dev->type->name, (unsigned long long)uart->sent,
		   (unsigned long long)uart->received, uart->count, uart->ier,
		   device_irq_level(dev));
	lock_give(&uart->lock);
}

static void ns16550_describe(const struct device *dev, struct device_node *node)
{
	(void)dev;
	device_node_u32(node, "clock-frequency", CLOCK_HZ);
}

#define NS16550_TYPE(config_name)		\
	.abi = DEVICE_ABI,			\
	.flags = DEVICE_F_PORT | DEVICE_F_HOSTDEV | DEVICE_F_BYTE_PORTS, \
	.name = config_name,			\
	.doc = "UART of a PC",			\
	.compatible = "ns16550a\0",		\
	.acpi_id = "PNP0501",			\
	.size = WINDOW_SIZE,			\
	.state_size = sizeof(struct ns16550),	\
	.describe = ns16550_describe,		\
	.create = ns16550_create,		\
	.destroy = ns16550_destroy,		\
	.read = ns16550_read,			\
	.write = ns16550_write,			\
	.status = ns16550_status

const struct device_type ns16550_type = { NS16550_TYPE("ns16550") };
const struct device_type ser8250_type = { NS16550_TYPE("ser8250") };
