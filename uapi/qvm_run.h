/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * qvm: the run page, mmap()ed from a vCPU fd at offset 0 (MAP_SHARED, qvm_query.run_size
 * bytes). QVM_VCPU_RUN writes it before it returns; of what user space writes, the module
 * reads immediate_exit, and the data bytes of an access that it completes, once each.
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
};

#endif /* _UAPI_QVM_RUN_H */
