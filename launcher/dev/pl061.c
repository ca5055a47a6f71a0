// SPDX-License-Identifier: GPL-2.0-only
/* Arm PL061 after its Technical Reference Manual, DDI 0190 ("TRM"). */
#include "dev/pl061.h"

#include <pthread.h>

#define WINDOW_SIZE	0x1000
#define LINE_BUTTON	3		/* where QEMU's board has it too */
#define KEY_POWER	116		/* linux/input-event-codes.h */
#define HELD_NS		200000000ULL	/* longer than guests take for bouncing */

enum {
	DATA_LAST = 0x3fc, DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, RIS = 0x414,
	MIS = 0x418, IC = 0x41c, AFSEL = 0x420, ID_FIRST = 0xfe0,
};

struct pl061 {
	struct device_timer *timer;	/* the button is let go */
	pthread_mutex_t lock;		/* all below */
	uint8_t in, out, dir;		/* lines; dir 1: an output */
	uint8_t level, both, high, enable, latched, afsel;
};

static uint8_t lines(const struct pl061 *gpio)
{
	return (uint8_t)((gpio->in & ~gpio->dir) | (gpio->out & gpio->dir));
}

/* TRM 2.1.3: levels are as they are, edges were latched. */
static uint8_t raw(const struct pl061 *gpio)
{
	return (uint8_t)(gpio->latched | (gpio->level & ~(lines(gpio) ^ gpio->high)));
}

static void update_irq(struct device *dev)
{
	const struct pl061 *gpio = dev->state;

	device_set_irq(dev, raw(gpio) & gpio->enable);
}

static void set_input(struct device *dev, unsigned int line, bool high)
{
	struct pl061 *gpio = dev->state;
	uint8_t before = gpio->in, changed;

	gpio->in = (uint8_t)(high ? before | 1U << line : before & ~(1U << line));
	changed = (uint8_t)((before ^ gpio->in) & ~gpio->dir & ~gpio->level);
	gpio->latched |= (uint8_t)(changed & (gpio->both | ~(gpio->in ^ gpio->high)));
	update_irq(dev);
}

static uint32_t read_register(const struct pl061 *gpio, uint64_t offset)
{
	/* TRM 3.3.13 on: peripheral and PrimeCell identification */
	static const uint8_t ids[8] = { 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	if (offset <= DATA_LAST)	/* TRM 3.3.1: address bits say which lines are meant */
		return lines(gpio) & (uint32_t)(offset >> 2);
	switch (offset) {
	case DIR:
		return gpio->dir;
	case IS:
		return gpio->level;
	case IBE:
		return gpio->both;
	case IEV:
		return gpio->high;
	case IE:
		return gpio->enable;
	case RIS:
		return raw(gpio);
	case MIS:
		return raw(gpio) & gpio->enable;
	case AFSEL:
		return gpio->afsel;
	default:
		return offset >= ID_FIRST ? ids[(offset - ID_FIRST) / 4] : 0;
	}
}

static uint64_t pl061_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct pl061 *gpio = dev->state;
	uint64_t value;

	(void)len;
	pthread_mutex_lock(&gpio->lock);
	value = read_register(gpio, offset & ~3ULL) >> offset % 4 * 8;
	pthread_mutex_unlock(&gpio->lock);
	return value;
}

/* The register that only keeps what is written, or NULL. */
static uint8_t *stored(struct pl061 *gpio, uint64_t offset)
{
	switch (offset) {
	case DIR:
		return &gpio->dir;
	case IS:
		return &gpio->level;
	case IBE:
		return &gpio->both;
	case IEV:
		return &gpio->high;
	case IE:
		return &gpio->enable;
	case AFSEL:
		return &gpio->afsel;
	default:
		return NULL;
	}
}

static void pl061_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct pl061 *gpio = dev->state;
	uint8_t mask = (uint8_t)(offset >> 2), *where;

	(void)len;
	pthread_mutex_lock(&gpio->lock);
	where = stored(gpio, offset);
	if (offset <= DATA_LAST)
		gpio->out = (uint8_t)((gpio->out & ~mask) | (value & mask));
	else if (offset == IC)
		gpio->latched &= (uint8_t)~value;
	else if (where)
		*where = (uint8_t)value;
	update_irq(dev);
	pthread_mutex_unlock(&gpio->lock);
}

static void let_go(struct device *dev, void *arg)
{
	struct pl061 *gpio = arg;

	pthread_mutex_lock(&gpio->lock);
	set_input(dev, LINE_BUTTON, false);
	pthread_mutex_unlock(&gpio->lock);
}

static bool pl061_button(struct device *dev)
{
	struct pl061 *gpio = dev->state;
	bool heard;

	pthread_mutex_lock(&gpio->lock);
	heard = gpio->enable >> LINE_BUTTON & 1;
	if (heard) {
		set_input(dev, LINE_BUTTON, true);
		device_timer_set(gpio->timer, HELD_NS);
	}
	pthread_mutex_unlock(&gpio->lock);
	return heard;
}

static int pl061_create(struct device *dev)
{
	struct pl061 *gpio = dev->state;

	pthread_mutex_init(&gpio->lock, NULL);
	return device_timer_create(dev, let_go, gpio, &gpio->timer);
}

static void pl061_destroy(struct device *dev)
{
	struct pl061 *gpio = dev->state;

	device_timer_destroy(gpio->timer);
	pthread_mutex_destroy(&gpio->lock);
}

static void pl061_describe(const struct device *dev, struct device_node *node)
{
	const uint32_t button[] = { device_node_phandle(node), LINE_BUTTON, 0 };

	(void)dev;
	device_node_clocks(node, "apb_pclk\0", 0);
	device_node_flag(node, "gpio-controller");
	device_node_u32(node, "#gpio-cells", 2);
	device_node_flag(node, "interrupt-controller");
	device_node_u32(node, "#interrupt-cells", 2);
	device_node_begin(node, "gpio-keys");
	device_node_string(node, "compatible", "gpio-keys");
	device_node_begin(node, "power");
	device_node_string(node, "label", "power button");
	device_node_u32(node, "linux,code", KEY_POWER);
	device_node_u32s(node, "gpios", button, 3);
	device_node_end(node);
	device_node_end(node);
}

static void pl061_status(struct device *dev)
{
	struct pl061 *gpio = dev->state;

	pthread_mutex_lock(&gpio->lock);
	device_log(dev, DEVICE_INFO, "pl061: lines %#x, enabled %#x, button %s, line %d", lines(gpio),
		   gpio->enable, gpio->in >> LINE_BUTTON & 1 ? "pressed" : "free", device_irq_level(dev));
	pthread_mutex_unlock(&gpio->lock);
}

const struct device_type pl061_type = {
	.abi = DEVICE_ABI,
	.flags = DEVICE_F_ONCE,
	.name = "pl061",
	.doc = "Arm PrimeCell GPIO with the power button, which SIGTERM presses",
	.compatible = "arm,pl061\0arm,primecell\0",
	.size = WINDOW_SIZE,
	.arch = DEVICE_ARM64,
	.widths = 1 << 1 | 1 << 2 | 1 << 4,
	.state_size = sizeof(struct pl061),
	.describe = pl061_describe,
	.create = pl061_create,
	.destroy = pl061_destroy,
	.read = pl061_read,
	.write = pl061_write,
	.status = pl061_status,
	.button = pl061_button,
};
