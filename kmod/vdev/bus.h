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
	 * len. Process context or interrupts off (tier 0b): raw locks only. 0, or -ENXIO: the
	 * vdev has no register there (the VM's policy answers).
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

/*
 * One access. 0: done; -ENXIO: nobody's address, or misaligned, or the vdev refused.
 * *value is zero-extended from len bytes on a read.
 */
int qvm_bus_read(const struct qvm_bus *bus, struct qvm_vcpu *vcpu, u64 gpa, unsigned int len,
		 u64 *value);
int qvm_bus_write(const struct qvm_bus *bus, struct qvm_vcpu *vcpu, u64 gpa, unsigned int len,
		  u64 value);

#endif /* QVM_VDEV_BUS_H */
