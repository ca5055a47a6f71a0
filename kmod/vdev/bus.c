// SPDX-License-Identifier: GPL-2.0-only
/* The bus of in-kernel vdevs: a sorted array, complete before the first look-up. */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "bus.h"

/* The number of vdevs that start at or below @gpa. */
static unsigned int bus_rank(const struct qvm_bus *bus, u64 gpa)
{
	unsigned int low = 0, high = bus->count;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (bus->vdev[mid]->base <= gpa)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Ranges are compared by their last byte: one that ends at 2^64 is a range. */
bool qvm_bus_overlaps(const struct qvm_bus *bus, u64 base, u64 size)
{
	const struct qvm_vdev *below;
	unsigned int rank;
	u64 last = base + size - 1;

	if (!size)
		return false;
	if (last < base)
		last = U64_MAX;
	rank = bus_rank(bus, last);
	if (!rank)
		return false;
	below = bus->vdev[rank - 1];
	return below->base + below->size - 1 >= base;
}

int qvm_bus_register(struct qvm_bus *bus, struct qvm_vdev *vdev)
{
	unsigned int rank;

	if (!vdev->size || vdev->base + vdev->size - 1 < vdev->base)
		return -EINVAL;
	if (qvm_bus_overlaps(bus, vdev->base, vdev->size))
		return -EEXIST;
	if (bus->count == QVM_MAX_VDEVS)
		return -ENOSPC;
	rank = bus_rank(bus, vdev->base);
	memmove(&bus->vdev[rank + 1], &bus->vdev[rank],
		(bus->count - rank) * sizeof(bus->vdev[0]));
	bus->vdev[rank] = vdev;
	bus->count++;
	return 0;
}

struct qvm_vdev *qvm_bus_find(const struct qvm_bus *bus, u64 gpa, unsigned int len)
{
	unsigned int rank = bus_rank(bus, gpa);
	struct qvm_vdev *vdev;

	if (!rank)
		return NULL;
	vdev = bus->vdev[rank - 1];
	if (gpa - vdev->base >= vdev->size || len > vdev->size - (gpa - vdev->base))
		return NULL;
	return vdev;
}

/* The vdev that takes this access, or NULL. */
static struct qvm_vdev *bus_route(const struct qvm_bus *bus, u64 gpa, unsigned int len)
{
	struct qvm_vdev *vdev;

	if (len != 1 && len != 2 && len != 4 && len != 8)
		return NULL;
	vdev = qvm_bus_find(bus, gpa, len);
	return vdev && qvm_vdev_takes(vdev, gpa, len) ? vdev : NULL;
}

int qvm_bus_read(const struct qvm_bus *bus, struct qvm_vcpu *vcpu, u64 gpa, unsigned int len,
		 u64 *value)
{
	struct qvm_vdev *vdev = bus_route(bus, gpa, len);
	u64 data = 0;
	int ret;

	if (!vdev)
		return -ENXIO;
	ret = vdev->ops->read(vdev, vcpu, gpa - vdev->base, len, &data);
	if (!ret)
		*value = data & GENMASK_ULL(8 * len - 1, 0);
	return ret;
}

int qvm_bus_write(const struct qvm_bus *bus, struct qvm_vcpu *vcpu, u64 gpa, unsigned int len,
		  u64 value)
{
	struct qvm_vdev *vdev = bus_route(bus, gpa, len);

	if (!vdev)
		return -ENXIO;
	return vdev->ops->write(vdev, vcpu, gpa - vdev->base, len,
				value & GENMASK_ULL(8 * len - 1, 0));
}
