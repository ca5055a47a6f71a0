// SPDX-License-Identifier: GPL-2.0-only
// LINK: kmod/vdev/bus.c
#include <linux/errno.h>
#include <linux/kernel.h>

#include "vdev/bus.h"
#include "unit.h"

/* A vdev that remembers the last access, and refuses at the offset 0x18. */
static struct {
	struct qvm_vdev *vdev;
	u64 offset, value;
	unsigned int len, count;
} last;

static int note(struct qvm_vdev *vdev, u64 offset, unsigned int len, u64 value)
{
	last.vdev = vdev;
	last.offset = offset;
	last.len = len;
	last.value = value;
	last.count++;
	return offset == 0x18 ? -ENXIO : 0;
}

static int vdev_read(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset, unsigned int len,
		     u64 *value)
{
	*value = 0x8877665544332211ULL;
	return note(vdev, offset, len, 0);
}

static int vdev_write(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset, unsigned int len,
		      u64 value)
{
	return note(vdev, offset, len, value);
}

static const struct qvm_vdev_ops ops = { .read = vdev_read, .write = vdev_write };

#define VDEV(_base, _size) { .ops = &ops, .name = "test", .base = (_base), .size = (_size) }

TEST(vdevs_are_kept_by_base)
{
	struct qvm_vdev vdev[] = {
		VDEV(0x3000, 0x1000), VDEV(0x1000, 0x1000), VDEV(0x2000, 0x1000), VDEV(0, 8),
	};
	struct qvm_bus bus = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vdev); i++)
		CHECK_EQ(qvm_bus_register(&bus, &vdev[i]), 0);
	CHECK_EQ(bus.count, 4);
	for (i = 1; i < bus.count; i++)
		CHECK(bus.vdev[i - 1]->base < bus.vdev[i]->base);
	for (i = 0; i < ARRAY_SIZE(vdev); i++) {
		CHECK(qvm_bus_find(&bus, vdev[i].base, 1) == &vdev[i]);
		CHECK(qvm_bus_find(&bus, vdev[i].base + vdev[i].size - 1, 1) == &vdev[i]);
	}
	CHECK(!qvm_bus_find(&bus, 8, 1));
	CHECK(!qvm_bus_find(&bus, 0x4000, 1));
}

TEST(overlap_and_nonsense_are_refused)
{
	struct qvm_vdev vdev = VDEV(0x1000, 0x1000), empty = VDEV(0x9000, 0);
	struct qvm_vdev wraps = VDEV(~0ULL - 0xfff, 0x1001), top = VDEV(~0ULL - 0xfff, 0x1000);
	struct qvm_vdev bad[] = {
		VDEV(0x1000, 0x1000), VDEV(0x1fff, 1), VDEV(0, 0x1001), VDEV(0x800, 0x8000),
		VDEV(0x1800, 8),
	};
	struct qvm_bus bus = { 0 };
	unsigned int i;

	CHECK_EQ(qvm_bus_register(&bus, &vdev), 0);
	CHECK_EQ(qvm_bus_register(&bus, &empty), -EINVAL);
	CHECK_EQ(qvm_bus_register(&bus, &wraps), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(qvm_bus_register(&bus, &bad[i]), -EEXIST);
	CHECK_EQ(bus.count, 1);
	CHECK_EQ(qvm_bus_register(&bus, &top), 0);
	CHECK(qvm_bus_find(&bus, ~0ULL, 1) == &top);
	CHECK(!qvm_bus_find(&bus, ~0ULL, 2));
}

TEST(overlaps)
{
	struct qvm_vdev low = VDEV(0x1000, 0x1000), high = VDEV(0x4000, 0x1000);
	struct qvm_bus bus = { 0 };

	CHECK(!qvm_bus_overlaps(&bus, 0, ~0ULL));
	CHECK_EQ(qvm_bus_register(&bus, &high), 0);
	CHECK_EQ(qvm_bus_register(&bus, &low), 0);
	CHECK(!qvm_bus_overlaps(&bus, 0, 0x1000));
	CHECK(qvm_bus_overlaps(&bus, 0, 0x1001));
	CHECK(!qvm_bus_overlaps(&bus, 0x2000, 0x2000));
	CHECK(qvm_bus_overlaps(&bus, 0x1fff, 1));
	CHECK(qvm_bus_overlaps(&bus, 0x1800, 0x8000));
	CHECK(qvm_bus_overlaps(&bus, 0, ~0ULL));
	CHECK(qvm_bus_overlaps(&bus, 0x4fff, ~0ULL));
	CHECK(!qvm_bus_overlaps(&bus, 0x5000, ~0ULL));
	CHECK(!qvm_bus_overlaps(&bus, 0x1000, 0));
}

TEST(the_bus_is_finite)
{
	static struct qvm_vdev vdev[QVM_MAX_VDEVS + 1];
	static struct qvm_bus bus;
	unsigned int i;

	for (i = 0; i <= QVM_MAX_VDEVS; i++) {
		/* from the top down: each goes to the front */
		vdev[i] = (struct qvm_vdev)VDEV((QVM_MAX_VDEVS - i) * 0x1000, 0x1000);
		CHECK_EQ(qvm_bus_register(&bus, &vdev[i]), i < QVM_MAX_VDEVS ? 0 : -ENOSPC);
	}
	for (i = 0; i < QVM_MAX_VDEVS; i++)
		CHECK(qvm_bus_find(&bus, vdev[i].base + 0x123, 4) == &vdev[i]);
	CHECK_EQ(qvm_bus_register(&bus, &vdev[3]), -EEXIST);
}

TEST(accesses_are_routed)
{
	struct qvm_vdev vdev = VDEV(0x1000, 0x1000);
	struct qvm_bus bus = { 0 };
	u64 value = 0;

	CHECK_EQ(qvm_bus_register(&bus, &vdev), 0);
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x1ff8, 8, &value), 0);
	CHECK(last.vdev == &vdev);
	CHECK_EQ(last.offset, 0xff8);
	CHECK_EQ(value, 0x8877665544332211ULL);
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x1001, 1, &value), 0);
	CHECK_EQ(value, 0x11);
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x1002, 2, &value), 0);
	CHECK_EQ(value, 0x2211);
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x1004, 4, &value), 0);
	CHECK_EQ(value, 0x44332211);
	CHECK_EQ(qvm_bus_write(&bus, NULL, 0x1004, 4, 0xa1a2a3a4a5a6a7a8ULL), 0);
	CHECK_EQ(last.value, 0xa5a6a7a8);
	CHECK_EQ(last.len, 4);
}

TEST(what_no_vdev_takes)
{
	struct qvm_vdev vdev = VDEV(0x1000, 0x1004);
	struct qvm_bus bus = { 0 };
	u64 value = 77;

	CHECK_EQ(qvm_bus_register(&bus, &vdev), 0);
	last.count = 0;
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0xff8, 8, &value), -ENXIO);
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x1002, 4, &value), -ENXIO);	/* misaligned */
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x2000, 8, &value), -ENXIO);	/* reaches out */
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x2004, 1, &value), -ENXIO);
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x1000, 3, &value), -ENXIO);
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x1000, 0, &value), -ENXIO);
	CHECK_EQ(qvm_bus_write(&bus, NULL, 0x1000, 16, 0), -ENXIO);
	CHECK_EQ(qvm_bus_write(&bus, NULL, ~0ULL, 1, 0), -ENXIO);
	CHECK_EQ(last.count, 0);
	CHECK_EQ(qvm_bus_read(&bus, NULL, 0x1018, 8, &value), -ENXIO);	/* the vdev refuses */
	CHECK_EQ(qvm_bus_write(&bus, NULL, 0x1018, 8, 0), -ENXIO);
	CHECK_EQ(last.count, 2);
	CHECK_EQ(value, 77);
}
