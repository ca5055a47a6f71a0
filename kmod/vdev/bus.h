/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The board's address map of in-kernel vdevs. The bus subtracts the base; a vdev sees an
 * offset and itself. Built while the VM is BUILDING under the VM's mutex, immutable after
 * assembly, so that look-ups take no lock.
 */
#ifndef QVM_VDEV_BUS_H
#define QVM_VDEV_BUS_H

#include <linux/types.h>

struct qvm_vcpu;
struct qvm_vdev;

#define QVM_MAX_VDEVS	80	/* ranges: a GIC with 64 redistributors takes 65 */

struct qvm_vdev_ops {
	/*
	 * One access at offset < size, len 1, 2, 4 or 8, not past the end, offset a multiple of
	 * len; *value is zero above len bytes. Process context or interrupts off (tier 0b): raw
	 * locks only. 0, or -ENXIO: the vdev has no register there (the VM's policy answers), or,
	 * with interrupts off, -EAGAIN: it has to wait for something; nothing was done, ask again
	 * with interrupts on.
	 */
	int (*read)(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset, unsigned int len,
		    u64 *value);
	int (*write)(struct qvm_vdev *vdev, struct qvm_vcpu *vcpu, u64 offset, unsigned int len,
		     u64 value);
};

struct qvm_vdev {
	const struct qvm_vdev_ops *ops;
	const char *name;
	u64 base, size;		/* gpa, bytes */
};

struct qvm_bus {
	unsigned int count;
	struct qvm_vdev *vdev[QVM_MAX_VDEVS];	/* by base, no overlap */
};

/*
 * Put @vdev on the bus; it stays the caller's. VM mutex held, VM BUILDING.
 * -EEXIST: overlaps a vdev; -ENOSPC: QVM_MAX_VDEVS.
 */
int qvm_bus_register(struct qvm_bus *bus, struct qvm_vdev *vdev);

/* True if any vdev has a byte in [base, base + size). */
bool qvm_bus_overlaps(const struct qvm_bus *bus, u64 base, u64 size);

/* The vdev that holds all of [gpa, gpa + len), or NULL. */
struct qvm_vdev *qvm_bus_find(const struct qvm_bus *bus, u64 gpa, unsigned int len);

/* @vdev takes the whole of an access. */
static inline bool qvm_vdev_takes(const struct qvm_vdev *vdev, u64 gpa, unsigned int len)
{
	u64 offset = gpa - vdev->base;

	return offset < vdev->size && vdev->size - offset >= len && !(offset & (len - 1));
}

/*
 * The vdev that takes an access of 1, 2, 4 or 8 bytes, or NULL. *@last, which belongs to the caller,
 * NULL at first, is tried before the others.
 */
static inline struct qvm_vdev *qvm_bus_route(const struct qvm_bus *bus, struct qvm_vdev **last,
					     u64 gpa, unsigned int len)
{
	struct qvm_vdev *vdev = *last;

	if (vdev && qvm_vdev_takes(vdev, gpa, len))
		return vdev;
	vdev = qvm_bus_find(bus, gpa, len);
	if (!vdev || !qvm_vdev_takes(vdev, gpa, len))
		return NULL;
	*last = vdev;
	return vdev;
}

/*
 * One access. 0: done; -ENXIO: nobody's address, or misaligned, or the vdev refused.
 * *value is zero-extended from len bytes on a read.
 */
int qvm_bus_read(const struct qvm_bus *bus, struct qvm_vcpu *vcpu, u64 gpa, unsigned int len,
		 u64 *value);
int qvm_bus_write(const struct qvm_bus *bus, struct qvm_vcpu *vcpu, u64 gpa, unsigned int len,
		  u64 value);

#endif /* QVM_VDEV_BUS_H */
