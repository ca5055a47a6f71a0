/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * qvm: the ioctl interface of /dev/qvm.
 *
 * Three kinds of file descriptor:
 *   /dev/qvm   the system           QVM_QUERY, QVM_CREATE_VM
 *   VM fd      one machine          QVM_VM_*
 *   vCPU fd    one virtual CPU      QVM_VCPU_*, and mmap() of its run page (qvm_run.h)
 *
 * Life of a VM (enum qvm_vm_state):
 *   BUILDING   --QVM_VM_ASSEMBLE-->   ASSEMBLED   --first entry-->   RUNNING   --end-->   ENDED
 * Regions, vdevs and vCPUs are added while BUILDING. Assembly settles what the guest can
 * touch; after it those calls fail with EBUSY. A VM ends once, for one reason, and from then
 * on every QVM_VCPU_RUN of it returns that reason (struct qvm_run, QVM_EXIT_SYSTEM or
 * QVM_EXIT_FATAL).
 *
 * Rules that hold for every command:
 *   - Structures are extensible at their end. The size travels in the ioctl number; a smaller
 *     (older) structure is taken as if the rest were zero, a larger (newer) one is taken if
 *     the part that this module does not know is zero, else E2BIG. A structure smaller than
 *     its first published version is EINVAL.
 *   - Unknown flags, and reserved fields that are not zero: EINVAL.
 *   - Fields marked In are read, Out are written; Out fields are undefined after an error.
 *   - Beside the errors named at the command: EFAULT (bad pointer), ENOTTY (unknown
 *     command for this fd), EIO (the caller's address space is not the one that created the
 *     VM), EINTR (killed while waiting for a lock), ENOMEM.
 *   - Everything is 64-bit clean and the same for 32-bit callers.
 */
#ifndef _UAPI_QVM_H
#define _UAPI_QVM_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define QVM_API_VERSION		1
#define QVM_NAME_SIZE		32	/* bytes, the terminating NUL included */
#define QVM_MAX_VCPUS		64

#define QVM_IOC			0xB6

/* ---- system ------------------------------------------------------------------------- */

enum qvm_arch {
	QVM_ARCH_ARM64	= 1,
	QVM_ARCH_X86	= 2,
};

/*
 * QVM_QUERY: what this module and this host can do. Legal always. No errors of its own.
 */
struct qvm_query {
	__u32 api_version;	/* Out: QVM_API_VERSION */
	__u32 arch;		/* Out: enum qvm_arch */
	__u64 features;		/* Out: QVM_FEATURE_* */
	__u32 max_vcpus;	/* Out: highest max_vcpus of QVM_CREATE_VM */
	__u32 ipa_bits;		/* Out: widest guest physical address, in bits */
	__u32 run_size;		/* Out: bytes to mmap() of a vCPU fd */
	__u32 page_size;	/* Out: granule of regions, in bytes */
	__u64 block_sizes;	/* Out: bit n set: stage-2 can map 2^n bytes by one entry */
	__u64 reserved;		/* must be zero */
};

#define QVM_QUERY		_IOWR(QVM_IOC, 0x00, struct qvm_query)

#define QVM_FEATURE_DIRTY_LOG	(1ULL << 0)	/* reserved: region flag below */
#define QVM_FEATURE_EVENTFD	(1ULL << 8)	/* QVM_VM_DOORBELL, QVM_VM_IRQFD */
#define QVM_FEATURE_SHARE	(1ULL << 9)	/* QVM_REGION_SHARED, QVM_VM_SHARE, QVM_IRQFD_F_HOLD */
#define QVM_FEATURE_RUN_SEEK	(1ULL << 10)	/* QVM_VCPU_RUN by lseek() */
#define QVM_FEATURE_POST	(1ULL << 11)	/* QVM_DOORBELL_F_POST */

/*
 * QVM_CREATE_VM: a new, empty VM; returns its fd (close-on-exec). The VM belongs to the
 * caller's address space and lives until the last fd of it or of its vCPUs is closed.
 *
 * EINVAL  no name or an unprintable one, max_vcpus 0 or too large, ipa_bits out of range,
 *         unknown vm_type or flags
 * EEXIST  another VM has this name
 * EMFILE, ENFILE  no free fd
 * EINTR   a signal of any kind; nothing was created, call again
 */
struct qvm_create_vm {
	char  name[QVM_NAME_SIZE];	/* In: NUL-terminated, printable ASCII, not empty */
	__u32 vm_type;			/* In: must be 0 */
	__u32 max_vcpus;		/* In: 1 … qvm_query.max_vcpus */
	/* In: 32 … qvm_query.ipa_bits; 0: 40 or the host's widest, if less */
	__u32 ipa_bits;
	__u32 flags;			/* In: must be 0 */
	__u32 id;			/* Out: the VM's number, unique while the module is there */
	__u32 reserved;			/* must be zero */
};

#define QVM_CREATE_VM		_IOWR(QVM_IOC, 0x01, struct qvm_create_vm)

/*
 * QVM_NEXT_VM: the VM with the lowest id above @after: call it with the last answer's id to list
 * all VMs of this host, whoever made them. Legal always.
 *
 * ENOENT  there is none
 * EINVAL  reserved is not zero
 */
struct qvm_next_vm {
	__u32 after;			/* In: an id; 0: from the first */
	__u32 id;			/* Out */
	char  name[QVM_NAME_SIZE];	/* Out: NUL-terminated */
	__u32 state;			/* Out: enum qvm_vm_state */
	__u32 vcpu_count;		/* Out */
	__s32 pid;			/* Out: of the process that made it, as the caller sees it, or 0 */
	__u32 reserved;			/* must be zero */
	__u64 pinned;			/* Out: bytes */
	__u64 created;			/* Out: CLOCK_MONOTONIC, ns */
};

#define QVM_NEXT_VM		_IOWR(QVM_IOC, 0x02, struct qvm_next_vm)

/* ---- VM ------------------------------------------------------------------------------ */

enum qvm_vm_state {
	QVM_VM_BUILDING		= 0,
	QVM_VM_ASSEMBLED	= 1,
	QVM_VM_RUNNING		= 2,
	QVM_VM_ENDED		= 3,
};

enum qvm_region_kind {
	QVM_REGION_RAM	= 1,	/* the guest reads, writes, executes */
	QVM_REGION_ROM	= 2,	/* the guest reads and executes; a write is a fault */
	QVM_REGION_SHARED = 3,	/* a window for QVM_VM_SHARE; the rest of it is user space's (MMIO) */
};

#define QVM_REGION_F_DIRTY_LOG	(1U << 0)	/* reserved; EOPNOTSUPP */
#define QVM_REGION_F_LAZY	(1U << 1)	/* RAM: pin and map at the guest's first touch */

/*
 * QVM_VM_ADD_REGION: pin the caller's memory at hva and map it at gpa, with the largest
 * blocks that contiguity and alignment allow. All or nothing. The memory stays the caller's:
 * the launcher fills it through hva, before assembly for ROM and for anything that the
 * guest fetches with its caches off. QVM_REGION_SHARED: nothing is pinned yet, hva must be 0, and
 * guest-physical addresses alone are taken.
 *
 * With QVM_REGION_F_LAZY nothing is pinned yet. All of it is charged to RLIMIT_MEMLOCK all the
 * same; what the guest touches stays pinned. If the caller has no memory there by then, or it
 * failed, the VM ends: QVM_EXIT_FATAL, QVM_FATAL_MEMORY.
 *
 * EBUSY      the VM is assembled
 * EEXIST     overlaps a region or a vdev
 * EINVAL     gpa, size or hva not a multiple of the page size, size 0, unknown kind, as_id not 0,
 *            hva not 0 with QVM_REGION_SHARED, anything but RAM lazy
 * ERANGE     reaches past 2^ipa_bits
 * ENOSPC     too many regions (QVM_MAX_REGIONS)
 * EFAULT     hva … hva+size is not writable memory of the caller
 * EPERM      RLIMIT_MEMLOCK would be exceeded and the caller has no CAP_IPC_LOCK
 * EOPNOTSUPP QVM_REGION_F_DIRTY_LOG
 */
struct qvm_region {
	__u64 gpa;		/* In: bytes */
	__u64 size;		/* In: bytes */
	__u64 hva;		/* In: address in the caller */
	__u32 kind;		/* In: enum qvm_region_kind */
	__u32 flags;		/* In: QVM_REGION_F_* */
	__u16 as_id;		/* In: must be 0 */
	__u16 reserved[3];	/* must be zero */
	__u64 blocks[3];	/* Out: how many entries map it: page size, 2 MiB, 1 GiB */
};

#define QVM_VM_ADD_REGION	_IOWR(QVM_IOC, 0x10, struct qvm_region)
#define QVM_MAX_REGIONS		64

/*
 * QVM_VM_CREATE_VDEV: put an in-kernel virtual device on the board. The parameters of each
 * type are in <arch>/qvm_vdev.h.
 *
 * EBUSY   the VM is assembled
 * ENOENT  this module has no such type
 * EEXIST  overlaps a region or a vdev, or the type can exist once and does
 * EINVAL  a parameter is out of range or misaligned
 * ERANGE  reaches past 2^ipa_bits
 */
struct qvm_create_vdev {
	__u32 type;		/* In: QVM_VDEV_* */
	__u32 flags;		/* In: must be 0 */
	__u64 param[14];	/* In: by type, unused ones zero */
};

#define QVM_VM_CREATE_VDEV	_IOW(QVM_IOC, 0x11, struct qvm_create_vdev)

/*
 * QVM_VM_CREATE_VCPU: returns the fd of vCPU @index (close-on-exec). vCPU 0 is powered on,
 * the others wait for the guest to start them.
 *
 * EBUSY   the VM is assembled
 * EINVAL  index not below max_vcpus, unknown flags
 * EEXIST  this vCPU exists
 * EMFILE, ENFILE  no free fd
 */
struct qvm_create_vcpu {
	__u32 index;		/* In */
	__u32 flags;		/* In: must be 0 */
	__u64 reserved;		/* must be zero */
};

#define QVM_VM_CREATE_VCPU	_IOW(QVM_IOC, 0x12, struct qvm_create_vcpu)

/*
 * QVM_VM_ASSEMBLE: settle the board: make memory coherent for a guest that starts with its
 * caches off, freeze regions, vdevs and vCPUs. Takes no argument.
 *
 * EBUSY   assembled already
 * EINVAL  no vCPU, or a vdev that the architecture needs with another is missing
 */
#define QVM_VM_ASSEMBLE		_IO(QVM_IOC, 0x13)

/*
 * QVM_VM_SET_IRQ: drive one input line of the board's interrupt controller. On arm64 @line is
 * an INTID (SPI: 32 …). For an edge-triggered line a change from 0 to 1 makes it pending.
 * Legal while ASSEMBLED or RUNNING; may be called from any thread at any time.
 *
 * ENXIO   no interrupt controller, or it has no such line
 * EINVAL  level not 0 or 1
 * ESHUTDOWN  the VM has ended; EAGAIN the VM is not assembled
 */
struct qvm_irq {
	__u32 line;		/* In */
	__u32 level;		/* In: 0 or 1 */
	__u64 reserved;		/* must be zero */
};

#define QVM_VM_SET_IRQ		_IOW(QVM_IOC, 0x14, struct qvm_irq)

/*
 * QVM_VM_INFO: state of the VM. Legal always.
 */
struct qvm_vm_info {
	__u32 id;		/* Out */
	__u32 state;		/* Out: enum qvm_vm_state */
	__u32 end_reason;	/* Out: QVM_EXIT_SYSTEM, QVM_EXIT_FATAL, or 0 */
	__u32 end_event;	/* Out: enum qvm_system_event or enum qvm_fatal */
	__u32 vcpu_count;	/* Out */
	__u32 region_count;	/* Out */
	__u64 pinned;		/* Out: bytes */
	__u64 table_pages;	/* Out: pages of stage-2 tables */
	__u64 cleaned;		/* Out: bytes cleaned and invalidated to PoC (arm64, no FEAT_S2FWB) */
	__u64 reserved;		/* must be zero */
	/* Out: when it came to these states, CLOCK_MONOTONIC in ns; 0: it has not */
	__u64 assembled, started, ended;
};

#define QVM_VM_INFO		_IOWR(QVM_IOC, 0x15, struct qvm_vm_info)

/*
 * QVM_VM_END: end the VM from outside (power cut). All vCPUs leave the guest and return
 * QVM_EXIT_SYSTEM with QVM_SYSTEM_STOPPED, unless the VM ended before: then nothing
 * changes. Legal always; may be called from any thread. Takes no argument.
 */
#define QVM_VM_END		_IO(QVM_IOC, 0x16)

/*
 * QVM_VM_SET_POLICY: what the guest gets for an access that nobody claims (the counters of
 * struct qvm_vcpu_stats go up in every case), and what else is the VM's to choose. Legal while
 * BUILDING.
 *
 * EBUSY   the VM is assembled
 * EINVAL  unknown value; poll_ns above QVM_POLL_MAX_NS
 */
enum qvm_policy {
	QVM_POLICY_DEFAULT	= 0,	/* what real hardware does */
	QVM_POLICY_FAIL		= 1,	/* the CPU exception that fits */
	QVM_POLICY_IGNORE	= 2,	/* reads give all ones, writes are dropped */
	QVM_POLICY_ABORT	= 3,	/* the VM ends: QVM_EXIT_FATAL */
};

#define QVM_POLL_MAX_NS		10000000ULL

struct qvm_vm_policy {
	__u32 instruction;	/* In: enum qvm_policy */
	__u32 reference;	/* In: enum qvm_policy; memory and device accesses */
	__u32 sysreg;		/* In: enum qvm_policy; system registers, MSRs */
	__u32 reserved;		/* must be zero */
	/*
	 * In: the VM ends with QVM_FATAL_STUCK after so many exits in a row between which nothing
	 * has changed: the guest left from the instruction that it was entered at, with the same
	 * registers, syndrome and addresses. A guest that polls a device or makes hypercalls completes
	 * instructions and is not meant. 0: never.
	 */
	__u64 equal_exits;
	/*
	 * In: so many ns at most a vCPU polls for what it waits for before its thread sleeps, while
	 * nobody else wants its pCPU; how long, it learns from its waits. 0: it sleeps at once.
	 */
	__u64 poll_ns;
};

#define QVM_VM_SET_POLICY	_IOW(QVM_IOC, 0x17, struct qvm_vm_policy)

/*
 * QVM_VM_UNCLAIMED: the addresses at which the guest has found nobody, those touched most often
 * first. Accesses that user space refuses (struct qvm_run.mmio.unclaimed) are among them. Legal
 * always.
 */
#define QVM_UNCLAIMED_ROWS	16
#define QVM_UNCLAIMED_READ	(1U << 0)
#define QVM_UNCLAIMED_WRITE	(1U << 1)
#define QVM_UNCLAIMED_FETCH	(1U << 2)	/* of an instruction */
#define QVM_UNCLAIMED_PORT	(1U << 3)	/* gpa is an I/O port (x86) */

struct qvm_unclaimed_row {
	__u64 gpa;		/* Out */
	__u64 count;		/* Out: accesses, this many at most … */
	__u64 over;		/* Out: … and so many less at least (rows are few: some were forgotten) */
	__u64 pc;		/* Out: where the guest was at the first one */
	__u32 vcpu;		/* Out: index of the vCPU of the first one */
	__u32 flags;		/* Out: QVM_UNCLAIMED_*, of all of them */
};

struct qvm_unclaimed {
	__u64 total;		/* Out: accesses at nobody's address */
	__u32 count;		/* Out: rows that are filled */
	__u32 reserved;		/* Out: zero */
	struct qvm_unclaimed_row row[QVM_UNCLAIMED_ROWS]; /* Out */
};

#define QVM_VM_UNCLAIMED	_IOR(QVM_IOC, 0x30, struct qvm_unclaimed)

/*
 * QVM_VM_DOORBELL: a guest's write to an address or I/O port signals an eventfd, and the guest
 * goes on: no vCPU thread returns to user space, and the write has no other effect. With
 * QVM_DOORBELL_F_DATAMATCH only a write of that value does. Writes of another length or value,
 * and all reads, are what they would be without it. One access of the guest is one signal.
 * With QVM_DOORBELL_F_POST it signals nothing: the write waits in the ring of the vCPU's run page
 * (qvm_run.h, struct qvm_posted) until user space takes it from there; eventfd is -1.
 * QVM_DOORBELL_F_REMOVE: the one with the same addr, len, datamatch and flags; eventfd is not
 * read. When it returns nobody signals the eventfd any more. A doorbell stays when its eventfd is
 * closed, until it is removed or the VM's last fd is closed.
 *
 * Legal while ASSEMBLED or RUNNING, REMOVE also when ENDED.
 *
 * EAGAIN  the VM is not assembled; ESHUTDOWN it has ended
 * EINVAL  len not 0 (any), 1, 2, 4 or (not for a port) 8; datamatch with len 0, or wider than len,
 *         or not 0 without its flag; eventfd is another kind of file, or not -1 with POST
 * EBADF   eventfd is not open
 * EOPNOTSUPP a port, where the architecture has none (arm64)
 * ERANGE  reaches past 2^ipa_bits, or past port 0xffff
 * EEXIST  some write would ring an existing doorbell too; or a vdev or a region (but a
 *         QVM_REGION_SHARED) is there
 * ENOENT  REMOVE: no such doorbell
 * ENOSPC  there are QVM_MAX_DOORBELLS
 */
struct qvm_doorbell {
	__u64 addr;		/* In: gpa, or port */
	__u64 datamatch;	/* In */
	__s32 eventfd;		/* In */
	__u32 len;		/* In: bytes */
	__u32 flags;		/* In: QVM_DOORBELL_F_* */
	__u32 reserved;		/* must be zero */
};

#define QVM_DOORBELL_F_REMOVE		(1U << 0)
#define QVM_DOORBELL_F_PORT		(1U << 1)
#define QVM_DOORBELL_F_DATAMATCH	(1U << 2)
#define QVM_DOORBELL_F_POST		(1U << 3)
#define QVM_MAX_DOORBELLS		512

#define QVM_VM_DOORBELL		_IOW(QVM_IOC, 0x18, struct qvm_doorbell)

/*
 * QVM_VM_IRQFD: a signal of an eventfd drives a line (as at QVM_VM_SET_IRQ), from whatever context
 * it comes, with no thread of the caller in between. The eventfd's count is read by it.
 * Edge (no flag): each signal is a change to 1 and back to 0; signals that come before the guest
 * has taken the interrupt may be one interrupt. One that is signalled already interrupts at once.
 * QVM_IRQFD_F_RESAMPLE, for a line that the guest has as level: a signal puts the line up. The
 * guest's end of the interrupt (deactivation on arm64, EOI at the I/O APIC on x86) puts it down,
 * and @resample of each irqfd of the line is signalled: a device that still wants attention
 * signals its eventfd again. Several may share a line; the removal of the last puts it down.
 * QVM_IRQFD_F_HOLD, for a device whose state the eventfd's count is: a signal puts the line up,
 * reads nothing, and QVM_VM_SET_IRQ puts it down. Several may share a line. Who puts it down
 * reads the counts before and looks at them once more after: a signal between is neither lost
 * nor a second one.
 * QVM_IRQFD_F_REMOVE: the one with this eventfd and line. When it returns, no interrupt comes
 * from it and nobody signals its @resample. Closing an eventfd's last descriptor disarms its
 * irqfd, too.
 *
 * Legal while ASSEMBLED or RUNNING, REMOVE also when ENDED.
 *
 * EAGAIN  the VM is not assembled; ESHUTDOWN it has ended
 * EINVAL  eventfd or resample is another kind of file; resample not 0 without its flag; both
 *         RESAMPLE and HOLD
 * EBADF   eventfd or resample is not open
 * ENXIO   no interrupt controller, or it has no such line (x86 with RESAMPLE: the I/O APIC)
 * EEXIST  the eventfd drives a line of this VM already
 * EBUSY   the line has irqfds of another kind (edge, RESAMPLE, HOLD)
 * ENOENT  REMOVE: no such irqfd
 * ENOSPC  there are QVM_MAX_IRQFDS
 */
struct qvm_irqfd {
	__s32 eventfd;		/* In */
	__s32 resample;		/* In: an eventfd, with QVM_IRQFD_F_RESAMPLE; else 0 */
	__u32 line;		/* In */
	__u32 flags;		/* In: QVM_IRQFD_F_* */
	__u64 reserved;		/* must be zero */
};

#define QVM_IRQFD_F_REMOVE		(1U << 0)
#define QVM_IRQFD_F_RESAMPLE		(1U << 1)
#define QVM_IRQFD_F_HOLD		(1U << 2)
#define QVM_MAX_IRQFDS			1024

#define QVM_VM_IRQFD		_IOW(QVM_IOC, 0x19, struct qvm_irqfd)

/*
 * QVM_VM_SHARE: pin the caller's memory at hva, which other VMs may have too (a mapping of one
 * memfd, say), and let the guest read and write it at gpa, inside one QVM_REGION_SHARED; it
 * executes nothing there. All or nothing; vCPUs may run. QVM_SHARE_F_REMOVE: the one with this
 * gpa and size, hva is not read; when it returns no vCPU reaches the memory any more. If the memory
 * fails, all VMs that have it end: QVM_EXIT_FATAL, QVM_FATAL_MEMORY.
 *
 * What a guest does there by instructions that the module completes itself (x86: one that
 * touches a device, too) comes to user space as an MMIO exit: the launcher answers it from hva.
 *
 * Legal while ASSEMBLED or RUNNING, REMOVE also when ENDED.
 *
 * EAGAIN  the VM is not assembled; ESHUTDOWN it has ended
 * EINVAL  gpa, size or hva not a multiple of the page size, size 0
 * ENXIO   not all of it is in one QVM_REGION_SHARED
 * EEXIST  memory is shared there already
 * ENOENT  REMOVE: none with this gpa and size
 * ENOSPC  there are QVM_MAX_SHARES
 * EFAULT  hva … hva+size is not writable memory of the caller, or some of it has failed
 * EPERM   RLIMIT_MEMLOCK would be exceeded and the caller has no CAP_IPC_LOCK
 */
struct qvm_share {
	__u64 gpa;		/* In: bytes */
	__u64 size;		/* In: bytes */
	__u64 hva;		/* In: address in the caller */
	__u32 flags;		/* In: QVM_SHARE_F_* */
	__u32 reserved;		/* must be zero */
};

#define QVM_SHARE_F_REMOVE	(1U << 0)
#define QVM_MAX_SHARES		64

#define QVM_VM_SHARE		_IOW(QVM_IOC, 0x1a, struct qvm_share)

/*
 * QVM_VM_REGION_DISCARD: take a range of RAM away from the guest, and unpin it (balloon, unplug, memory
 * that failed). The range is in stage 2 no more when this returns; what the guest touches of it
 * after that is pinned and mapped anew from the same hva, as QVM_REGION_F_LAZY does. To give the
 * memory back, first madvise(MADV_DONTNEED) it, then call this: the guest finds zeros then, and both
 * see the same pages. In the other order the guest may pin what is about to go. The charge to
 * RLIMIT_MEMLOCK stays. Legal while ASSEMBLED or RUNNING, from any thread.
 *
 * EINVAL  gpa or size not a multiple of the page size, size 0, flags not 0
 * ENOENT  not all of it is in one RAM region
 * ENOMEM, EINTR  (killed) what comes first of the range may be gone, the rest is as it was
 * EAGAIN  the VM is not assembled; ESHUTDOWN it has ended
 */
struct qvm_discard {
	__u64 gpa;		/* In: bytes */
	__u64 size;		/* In: bytes */
	__u64 flags;		/* In: must be 0 */
	__u64 reserved;		/* must be zero */
};

#define QVM_VM_REGION_DISCARD	_IOW(QVM_IOC, 0x1b, struct qvm_discard)

/* ---- vCPU ---------------------------------------------------------------------------- */

/*
 * QVM_VCPU_RUN: enter the guest until user space has something to do. Takes no argument: the
 * run page says what happened (qvm_run.h). The first call after an MMIO exit completes that
 * access with the data bytes of the run page.
 *
 * 0       exit_reason is set
 * EINTR   a signal is pending or immediate_exit is set; nothing is lost, call again.
 *         exit_reason is QVM_EXIT_INTR
 * EAGAIN  the VM is not assembled
 *
 * With QVM_FEATURE_RUN_SEEK, and at a third of the kernel's own cost, also
 * lseek(fd, QVM_VCPU_RUN, SEEK_SET), which means the same. Security modules look at each ioctl and at
 * no lseek: what they said of the last QVM_VCPU_RUN by ioctl holds for it.
 *
 * EPERM   that was with other credentials than the caller's, or never
 */
#define QVM_VCPU_RUN		_IO(QVM_IOC, 0x20)

/*
 * QVM_VCPU_GET_REG, QVM_VCPU_SET_REG: one register by its stable id (<arch>/qvm_reg.h).
 * Waits while the vCPU runs. Registers narrower than 128 bits use value[0].
 *
 * ENOENT  no register has this id
 * EPERM   SET_REG of a read-only register
 * EINVAL  a value that this register can't have
 */
struct qvm_reg {
	__u64 id;		/* In */
	__u64 value[2];		/* In for SET_REG, Out for GET_REG */
};

#define QVM_VCPU_GET_REG	_IOWR(QVM_IOC, 0x21, struct qvm_reg)
#define QVM_VCPU_SET_REG	_IOW(QVM_IOC, 0x22, struct qvm_reg)

/*
 * QVM_VCPU_STATS: counters of this vCPU since its creation. Legal always, also while it
 * runs (then each counter is some recent value).
 */
#define QVM_STATS_REASONS	64
struct qvm_vcpu_stats {
	__u64 entries;		/* Out: entries into the guest, but for one that has not ended yet */
	__u64 exits;		/* Out: exits, those answered at tier 0 included */
	__u64 user_exits;	/* Out: returns of QVM_VCPU_RUN with an exit_reason (EINTR has one) */
	__u64 blocks;		/* Out: times it waited for an interrupt (WFI, HLT) */
	__u64 kicks;		/* Out: times another thread made it leave the guest */
	__u64 mmio_kernel;	/* Out: accesses answered by an in-kernel vdev */
	__u64 mmio_user;	/* Out: accesses sent to user space */
	__u64 unclaimed;	/* Out: accesses at nobody's address */
	__u64 unknown_sysreg;	/* Out: system registers or MSRs that do not exist here */
	__u64 undefined;	/* Out: undefined-instruction exceptions injected */
	__u64 irqs;		/* Out: exits for a host interrupt */
	__u64 tier0;		/* Out: exits answered without leaving the guest's world */
	__u64 doorbells;	/* Out: writes that rang a doorbell (QVM_VM_DOORBELL) */
	__u64 polls;		/* Out: of the blocks those that polling ended */
	__u64 posted;		/* Out: writes that were posted (QVM_DOORBELL_F_POST) */
	__u64 reserved[1];	/* Out: zero */
	/* Out: exits by the hardware's own reason (arm64: ESR.EC) */
	__u64 reason[QVM_STATS_REASONS];
	__u64 reason_tier0[QVM_STATS_REASONS];	/* Out: of these, those answered at tier 0 */
};

#define QVM_VCPU_STATS		_IOR(QVM_IOC, 0x23, struct qvm_vcpu_stats)

/*
 * QVM_STAT, on the system fd: the counters of vCPU @vcpu of the VM called @name, for another
 * process than the VM's own. Legal always.
 *
 * ENOENT  no VM has this name
 * ENXIO   it has no such vCPU
 * EPERM   the VM is another address space's, and the caller has neither CAP_PERFMON nor
 *         CAP_SYS_ADMIN
 */
struct qvm_stat {
	char  name[QVM_NAME_SIZE];	/* In: NUL-terminated */
	__u32 vcpu;			/* In: index */
	__u32 id;			/* Out: of the VM */
	__u64 time;			/* Out: CLOCK_MONOTONIC, ns */
	struct qvm_vcpu_stats stats;	/* Out */
};

#define QVM_STAT		_IOWR(QVM_IOC, 0x31, struct qvm_stat)

/*
 * QVM_VCPU_TRAIL: where the vCPU is and by which exits it came there: the last ones that the
 * guest caused and that were not answered at tier 0. Legal always, also while it runs (then
 * a record may be half of one exit and half of another).
 */
#define QVM_TRAIL_EXITS		16

enum qvm_vcpu_where {
	QVM_VCPU_OUTSIDE	= 0,	/* in the host, on its way in or out, or not in QVM_VCPU_RUN */
	QVM_VCPU_IN_GUEST	= 1,
	QVM_VCPU_BLOCKED	= 2,	/* waits for an interrupt or to be switched on */
};

struct qvm_exit_record {
	__u64 pc;		/* Out: of the instruction that caused it */
	__u64 syndrome;		/* Out: arm64: ESR_EL2; x86: exit qualification */
	__u64 gva, gpa;		/* Out: of an access that faulted, else 0 */
	__u32 code;		/* Out: arm64: 0 synchronous, 2 SError, 3 from AArch32; x86: reason, 31:16 */
	__u32 reason;		/* Out: arm64: ESR.EC; x86: basic exit reason */
};

struct qvm_vcpu_trail {
	__u32 where;		/* Out: enum qvm_vcpu_where */
	__u32 is_on;		/* Out: 1: the guest has switched it on */
	__u64 kick_wait;	/* Out: ns that a kick has waited for it to leave the guest; 0: none waits */
	__u64 equal;		/* Out: equal exits in a row up to now (struct qvm_vm_policy) */
	__u32 count;		/* Out: records that are filled */
	__u32 reserved;		/* Out: zero */
	struct qvm_exit_record exit[QVM_TRAIL_EXITS];	/* Out: the oldest first */
};

#define QVM_VCPU_TRAIL		_IOR(QVM_IOC, 0x24, struct qvm_vcpu_trail)

#endif /* _UAPI_QVM_H */
