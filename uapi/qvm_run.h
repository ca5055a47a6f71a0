/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * qvm: the run page, mmap()ed from a vCPU fd at offset 0 (MAP_SHARED, qvm_query.run_size
 * bytes). QVM_VCPU_RUN writes it before it returns; of what user space writes, the module
 * reads immediate_exit, posted.tail, and the data bytes of an access that it completes, once each.
 * Whatever else user space changes here has no effect.
 */
#ifndef _UAPI_QVM_RUN_H
#define _UAPI_QVM_RUN_H

#include <linux/types.h>

enum qvm_exit_reason {
	QVM_EXIT_NONE	= 0,	/* never run */
	QVM_EXIT_INTR	= 1,	/* signal or immediate_exit; QVM_VCPU_RUN failed with EINTR */
	QVM_EXIT_MMIO	= 2,	/* an access to an address that no region and no vdev owns */
	QVM_EXIT_SYSTEM	= 3,	/* the VM ended in order: struct qvm_run.system */
	QVM_EXIT_FATAL	= 4,	/* the VM ended in a safe state: struct qvm_run.fatal */
	QVM_EXIT_PIO	= 5,	/* x86: as QVM_EXIT_MMIO, mmio.gpa is an I/O port; len 1, 2, 4 */
	QVM_EXIT_DEBUG	= 6,	/* reserved */
	QVM_EXIT_POSTED	= 7,	/* posted writes wait, and nothing else is to be done */
};

enum qvm_system_event {
	QVM_SYSTEM_OFF		= 1,	/* the guest switched the machine off */
	QVM_SYSTEM_RESET	= 2,	/* the guest asked for a reset */
	QVM_SYSTEM_STOPPED	= 3,	/* QVM_VM_END */
};

enum qvm_fatal {
	QVM_FATAL_ENTRY		= 1,	/* the hardware refused to enter the guest */
	QVM_FATAL_EXIT		= 2,	/* an exit that no handler knows */
	QVM_FATAL_SERROR	= 3,	/* asynchronous external abort, machine check */
	QVM_FATAL_POLICY	= 4,	/* QVM_POLICY_ABORT */
	QVM_FATAL_STATE		= 5,	/* the guest is in a state that this VM can't offer */
	QVM_FATAL_MEMORY	= 6,	/* guest memory can't be reached */
	QVM_FATAL_STUCK		= 7,	/* too many equal exits: struct qvm_vm_policy */
};

/*
 * Posted writes (QVM_DOORBELL_F_POST), the oldest first: write[tail % QVM_POSTED_WRITES] … up to, not
 * including, head. head is read with acquire, tail is stored with release when the write has been
 * done, or copied. One thread at a time takes them, whichever, also while the vCPU runs. They are older
 * than what exit_reason says: take them first, and those of the other vCPUs, too, before an access
 * to a device whose writes are posted. QVM_VCPU_RUN returns when the oldest has waited for
 * QVM_POSTED_NS, and before the vCPU waits for an interrupt. A write that finds the ring full comes as
 * if it were not posted.
 */
#define QVM_POSTED_WRITES	64
#define QVM_POSTED_NS		1000000		/* and what the host's timer is late by */

struct qvm_posted_write {
	__u64 addr;		/* Out: gpa, or port */
	__u64 data;		/* Out: zero above len bytes; the lowest is what is at addr */
	__u32 len;		/* Out: bytes */
	__u32 is_port;		/* Out: 1: addr is an I/O port */
};

struct qvm_posted {
	__u32 head;		/* Out: of all writes so far, modulo 2^32 */
	__u32 reserved0[15];
	__u32 tail;		/* In: how many of these user space has taken, modulo 2^32 */
	__u32 reserved1[15];
	struct qvm_posted_write write[QVM_POSTED_WRITES]; /* Out */
};

struct qvm_run {
	/* In */
	__u8  immediate_exit;	/* not 0: QVM_VCPU_RUN returns EINTR, as long as it stays set */
	__u8  reserved0[7];

	/* Out */
	__u32 exit_reason;	/* enum qvm_exit_reason */
	__u32 reserved1;
	union {
		/*
		 * QVM_EXIT_MMIO: is_write: data holds the bytes that the guest wrote.
		 * Else user space puts @len bytes there, in the guest's byte order, and calls
		 * QVM_VCPU_RUN. To refuse the access (nobody's address) it sets @unclaimed to 1
		 * before that: the VM's policy answers.
		 */
		struct {
			__u64 gpa;		/* Out */
			__u32 len;		/* Out: 1, 2, 4 or 8 */
			__u8  is_write;		/* Out */
			__u8  unclaimed;	/* In, read once by the next QVM_VCPU_RUN; Out: 0 */
			__u8  reserved[2];
			__u8  data[8];		/* Out if is_write, else In */
			__u64 pc;		/* Out: where the guest was */
		} mmio;
		/* QVM_EXIT_SYSTEM */
		struct {
			__u32 event;		/* Out: enum qvm_system_event */
			__u32 vcpu;		/* Out: index of the vCPU that asked */
			__u64 detail;		/* Out: arm64: PSCI function id */
		} system;
		/* QVM_EXIT_FATAL */
		struct {
			__u32 cause;		/* Out: enum qvm_fatal */
			__u32 vcpu;		/* Out: index of the vCPU that met it */
			__u64 syndrome;		/* Out: arm64: ESR_EL2 */
			__u64 pc;		/* Out */
			__u64 gva;		/* Out: arm64: FAR_EL2 */
			__u64 gpa;		/* Out */
		} fatal;
		__u8 pad[240];
	};
	struct qvm_posted posted;
};

#endif /* _UAPI_QVM_RUN_H */
