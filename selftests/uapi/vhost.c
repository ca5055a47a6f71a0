// SPDX-License-Identifier: GPL-2.0-only
/*
 * vhost of the host's kernel, which is given a guest's memory, doorbells and an irqfd: its worker takes the guest's
 * frames out of its memory, the loopback device gives them back, it puts them there and interrupts the guest. No
 * access of the guest comes to this program, which waits for its end. Wants vhost_net loaded.
 */
#include <kselftest_harness.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/vhost.h>
#include <linux/virtio_ring.h>
#include <net/if.h>
#include <sys/socket.h>

#include "eventfd.h"

#define ROUNDS		2000
#define RING		4		/* descriptors of a queue, one of them used */
#define RX_RING		0x1000		/* offsets in RAM: descriptors, 0x100 behind them avail, 0x200 used */
#define TX_RING		0x2000
#define RX_FRAME	0x3000
#define TX_FRAME	0x4000
#define FRAME_SIZE	60
#define HEADER_SIZE	10		/* virtio's before a frame */

/*
 * Its MMU is on, for vhost's view of the memory is cacheable. Each round it sends a frame with the round's number,
 * waits for SPI 40, and expects that number. x20: rounds; what it did not expect is written to the device.
 */
GUEST(guest_net, G_DEVICE
      "mov x27, #0x40000000\n"
      /* 1 GiB of devices, never fetched from, and 1 GiB of memory */
      "movz x1, #0x401\n movk x1, #0x20, lsl #48\n str x1, [x27, #0x5000]\n"
      "movz x1, #0x705\n movk x1, #0x4000, lsl #16\n str x1, [x27, #0x5008]\n dsb sy\n"
      "add x1, x27, #0x5000\n msr ttbr0_el1, x1\n mov x1, #0xff00\n msr mair_el1, x1\n"
      "movz x1, #0x3519\n movk x1, #0x80, lsl #16\n msr tcr_el1, x1\n isb\n"
      "mrs x1, sctlr_el1\n mov x2, #0x1005\n orr x1, x1, x2\n msr sctlr_el1, x1\n isb\n"
      /* SPI 40: an edge, to this CPU */
      "mov x1, #0x08000000\n mov w2, #0x12\n str w2, [x1]\n mov w2, #0x20000\n str w2, [x1, #0xc08]\n"
      "mov w2, #0x100\n str w2, [x1, #0x104]\n str wzr, [x1, #0x428]\n mov x2, #0x6140\n str xzr, [x1, x2]\n"
      "movz x1, #0x080a, lsl #16\n str wzr, [x1, #0x14]\n"
      "mov x2, #0xff\n msr s3_0_c4_c6_0, x2\n mov x2, #1\n msr s3_0_c12_c12_7, x2\n isb\n"
      "add x10, x27, #0x1000\n add x11, x27, #0x2000\n add x12, x27, #0x3000\n add x13, x27, #0x4000\n mov x5, #0\n"
      "1: add x5, x5, #1\n and w9, w5, #0xffff\n"
      "str x5, [x13, #24]\n str xzr, [x12, #24]\n dmb ish\n"
      "strh w5, [x10, #0x102]\n strh w5, [x11, #0x102]\n dsb ish\n"
      "str w5, [x28, #0x44]\n str w5, [x28, #0x40]\n"
      "2: wfi\n mrs x3, s3_0_c12_c12_0\n cmp w3, #1020\n b.hs 2b\n"
      "msr s3_0_c12_c12_1, x3\n cmp w3, #40\n b.ne 4f\n"
      "ldrh w6, [x10, #0x202]\n cmp w6, w9\n b.ne 2b\n"
      "3: yield\n ldrh w6, [x11, #0x202]\n cmp w6, w9\n b.ne 3b\n dmb ishld\n"
      "ldr x7, [x12, #24]\n cmp x7, x5\n b.ne 4f\n"
      "cmp x5, x20\n b.lo 1b\n" G_OFF
      "4: str x5, [x28]\n b .");

FIXTURE(vhost)
{
	struct machine m;
	int vhost, socket;
};

/* Frames of a type that nobody else has, to and from the loopback device. */
static int loopback_socket(void)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_802_EX1) };
	struct ifreq lo = { .ifr_name = "lo" };
	int fd = must(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));

	must(ioctl(fd, SIOCGIFFLAGS, &lo));
	lo.ifr_flags |= IFF_UP;
	must(ioctl(fd, SIOCSIFFLAGS, &lo));
	to.sll_ifindex = must((int)if_nametoindex("lo") ?: -1);
	must(bind(fd, (struct sockaddr *)&to, sizeof(to)));
	return fd;
}

FIXTURE_SETUP(vhost)
{
	self->vhost = must(open("/dev/vhost-net", O_RDWR | O_CLOEXEC));
	self->socket = loopback_socket();
}

FIXTURE_TEARDOWN(vhost)
{
	if (self->m.vm)
		machine_close(&self->m);
	close(self->vhost);
	close(self->socket);
}

static void add_queue(struct machine *m, int vhost, unsigned int index, uint64_t ring, int kick, int interrupt)
{
	uint64_t at = (uintptr_t)m->ram + ring;
	struct vhost_vring_state num = { .index = index, .num = RING }, base = { .index = index };
	struct vhost_vring_addr addr = { .index = index, .desc_user_addr = at, .avail_user_addr = at + 0x100,
					 .used_user_addr = at + 0x200 };
	struct vhost_vring_file file = { .index = index, .fd = kick };

	must(ioctl(vhost, VHOST_SET_VRING_NUM, &num));
	must(ioctl(vhost, VHOST_SET_VRING_BASE, &base));
	must(ioctl(vhost, VHOST_SET_VRING_ADDR, &addr));
	must(ioctl(vhost, VHOST_SET_VRING_KICK, &file));
	file.fd = interrupt;
	must(ioctl(vhost, VHOST_SET_VRING_CALL, &file));
}

static void attach(struct machine *m, int vhost, int fd)
{
	struct {
		struct vhost_memory head;
		struct vhost_memory_region ram;
	} table = { .head.nregions = 1, .ram = { .guest_phys_addr = RAM_GPA, .memory_size = RAM_SIZE,
						 .userspace_addr = (uintptr_t)m->ram } };
	uint64_t features = 1ULL << VHOST_NET_F_VIRTIO_NET_HDR;
	int kick[2] = { make_eventfd(), make_eventfd() }, received = make_eventfd();
	struct vhost_vring_file backend = { .fd = fd };

	must(ioctl(vhost, VHOST_SET_OWNER));
	must(ioctl(vhost, VHOST_SET_FEATURES, &features));
	must(ioctl(vhost, VHOST_SET_MEM_TABLE, &table));
	add_queue(m, vhost, 0, RX_RING, kick[0], received);
	add_queue(m, vhost, 1, TX_RING, kick[1], -1);
	for (backend.index = 0; backend.index < 2; backend.index++)
		must(ioctl(vhost, VHOST_NET_SET_BACKEND, &backend));
	must(doorbell(m->vm, BELL + 4, 4, kick[0], 0, 0));
	must(doorbell(m->vm, BELL, 4, kick[1], 0, 0));
	must(irqfd(m->vm, SPI, received, 0, 0));
}

static void describe(struct machine *m, uint64_t ring, uint64_t frame, uint32_t len, uint16_t flags)
{
	*(volatile struct vring_desc *)(m->ram + ring) =
		(struct vring_desc){ .addr = RAM_GPA + frame, .len = len, .flags = flags };
}

TEST_F(vhost, echo)
{
	struct machine *m = &self->m;
	struct qvm_vcpu_stats stats;
	struct runner r;

	machine_build(m, &guest_net, 1);
	machine_add_gic(m);
	describe(m, RX_RING, RX_FRAME, 0x800, VRING_DESC_F_WRITE);
	describe(m, TX_RING, TX_FRAME, HEADER_SIZE + FRAME_SIZE, 0);
	*(volatile uint16_t *)(m->ram + TX_FRAME + HEADER_SIZE + 2 * ETH_ALEN) = htons(ETH_P_802_EX1);
	must(set_reg(m->vcpu[0], QVM_REG_X(20), ROUNDS));
	machine_assemble(m);
	attach(m, self->vhost, self->socket);
	runner_start(&r, m, 0);
	if (!eventually(atomic_load(&r.done)))
		must(call(m->vm, QVM_VM_END, NULL));
	EXPECT_EQ(QVM_EXIT_SYSTEM, runner_join(&r));
	EXPECT_TRUE(is_off(m->run[0]));
	stats = vcpu_stats(m->vcpu[0]);
	EXPECT_EQ(2 * ROUNDS, stats.doorbells);
	EXPECT_EQ(0, stats.mmio_user);
	TH_LOG("%u frames there and back: %llu exits, %llu to user space", ROUNDS, stats.exits, stats.mmio_user);
	/* vhost goes on without its guest */
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
