/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own view of a VM and its vCPUs. Letters behind a field say who may touch it:
 *   [C] set at creation, constant after      [A] set by assembly, constant after
 *   [m] VM mutex   [v] vCPU mutex (the thread in RUN holds it)   [a] atomic
 *
 * Lock order, outermost first:
 *   vms_mutex (vm.c) > vm->mutex > vcpu->mutex > vm->s2_lock > raw locks of vdevs > rq lock
 * The mm's own locks (faults, pins) come before s2_lock. An mmu_notifier callback runs under them,
 * and memory reclaim may run it: it takes s2_lock by trylock alone. But the callback that says the mm
 * has gone runs under none, and takes vm->mutex.
 * sched_out runs under the rq lock: the put path takes none of these, prints nothing, wakes nobody.
 */
#ifndef QVM_CORE_H
#define QVM_CORE_H

#include <linux/atomic.h>
#include <linux/kconfig.h>
#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rwsem.h>
#include <linux/thread_info.h>
#include <linux/types.h>

#include <qvm.h>
#include <qvm_run.h>

#include "arch_types.h"
#include "eventfd.h"
#include "pgtable.h"
#include "post.h"
#include "trail.h"
#include "unclaimed.h"
#include "vdev/bus.h"

struct file;
struct page;
struct pid;
struct qvm_histogram;

/* What a handler tells the run loop; there is no other answer. */
enum exit_action {
	EXIT_RESUME,	/* into the guest again */
	EXIT_TO_USER,	/* the run page is filled */
	EXIT_BLOCK,	/* wait until the vCPU has something to do */
	EXIT_FATAL,	/* the VM has ended (qvm_vm_end was called) */
	EXIT_LOOK,	/* something is wanted of the vCPU: look what, before it enters again */
};

/* One guest access, decoded once in arch/: nothing behind it sees a syndrome. */
struct qvm_access {
	u64 gpa;
	u64 data;		/* write: value, zero-extended */
	u8 len;			/* bytes: 1, 2, 4, 8 */
	u8 reg;			/* arch's register number */
	bool is_write;
	bool sign_extend;
	bool reg64;		/* the register is 64 bits wide (arm64: SF) */
	bool is_port;		/* gpa is an I/O port (x86) */
};

/* A range of gpa with memory behind it. */
struct qvm_mem {
	u64 gpa, size;		/* bytes */
	u64 hva;		/* in vm->mm */
	u32 kind;		/* enum qvm_region_kind */
};

struct qvm_vm {
	struct kref ref;
	u32 id;					/* [C] */
	char name[QVM_NAME_SIZE];		/* [C] */
	struct mm_struct *mm;			/* [C] the creator's; mmgrab()ed */
	struct list_head node;			/* vms_mutex */
	struct pid *creator;			/* [C] its thread group */
	u64 created;				/* [C] CLOCK_MONOTONIC, ns */
	u64 assembled, started, ended;		/* before the state becomes that; else 0 */

	struct mutex mutex;			/* [m] */
	u32 max_vcpus;				/* [C] */
	u32 ipa_bits;				/* [C] */
	unsigned int region_count;		/* [m] until assembled, then [A] */
	struct qvm_mem region[QVM_MAX_REGIONS]; /* [m]/[A] by gpa */
	unsigned int vcpu_count;		/* [m]/[A] */
	struct qvm_vcpu **vcpu;			/* [m]/[A] max_vcpus slots by index, or NULL */
	struct qvm_bus bus;			/* [m]/[A] in-kernel vdevs by gpa */
	struct qvm_bus ports;			/* [m]/[A] and by I/O port (x86) */
	struct qvm_vm_policy policy;		/* [m]/[A] */
	struct qvm_eventfds eventfds;
	u64 pinned;				/* [m] bytes charged to mm */
	struct list_head shares;		/* [m] and s2_lock; share.c */
	atomic64_t cleaned;			/* [a] bytes cleaned to PoC, each time counted */
	struct s2_table s2;			/* [m] while BUILDING, then by s2_lock */
	/* entries of an assembled VM change, and what they map is unpinned, by the writer */
	struct rw_semaphore s2_lock;
	struct mmu_notifier notifier;		/* [C] of mm */
	atomic_t poison_check;			/* [a] memory failed; who holds s2_lock looks for it */
	u64 discards;				/* [s2_lock] how often memory was discarded */

	struct qvm_unclaimed_table unclaimed;

	atomic_t logged;			/* [a] enum vm_log bits */
	atomic_t state;				/* [a] enum qvm_vm_state */
	atomic_t ending;			/* [a] the first ender wins */
	struct {				/* written once before state becomes ENDED */
		u32 exit_reason;
		u32 vcpu;
		u32 event;
		u64 syndrome, pc, gva, gpa;
	} end;
	struct qvm_vm_arch arch;
};

/* Where the vCPU's thread is, as a kick has to know it (qvm_vcpu_kick). */
enum vcpu_mode {
	VCPU_OUTSIDE,	/* in the host: it looks at `kicked` before the guest runs again */
	VCPU_IN_GUEST,	/* set with interrupts off before the last look at `kicked` */
	VCPU_BLOCKED,	/* asleep until kicked or runnable */
};

/* PSCI or INIT-SIPI state. */
enum vcpu_power {
	VCPU_OFF,
	VCPU_STARTING,		/* another vCPU is switching it on */
	VCPU_ON_PENDING,	/* done; its own thread has not seen it yet */
	VCPU_ON,
};

struct qvm_vcpu {
	struct qvm_vm *vm;			/* [C] its fd holds a reference */
	u32 index;				/* [C] */
	struct mutex mutex;			/* one thread in the vCPU at a time */
	struct qvm_run *run;			/* [C] the run page; user space writes it at will */
	struct preempt_notifier notifier;	/* [v] */
	bool loaded;				/* [v] on this pCPU; stable with preemption off */
	bool notify_resume;			/* [v] TIF_NOTIFY_RESUME waits for the way out */
	u64 poll_ns;				/* [v] so long it polls before it sleeps */

	const struct cred *run_cred;		/* [v] whose RUN security modules let in last, or NULL */
	struct task_struct *thread;		/* the one in RUN, else NULL; read under RCU */
	atomic_t mode;				/* [a] enum vcpu_mode */
	atomic_t kicked;			/* [a] leave guest or sleep, look at requests */
	unsigned long kick_since;		/* jiffies; while kicked: since when at most */
	atomic_t power;				/* [a] enum vcpu_power */

	struct qvm_vdev *last_vdev, *last_port;	/* [v] where its last access went: tried first */
	u64 last_user;				/* [v] place of the last that went to user space, or 0 */
	unsigned int last_user_bells;		/* [v] doorbells_added when no doorbell was there */

	/* access that user space completes: our own copy, the run page is not trusted */
	bool mmio_pending;			/* [v] */
	struct qvm_access mmio;			/* [v] */

	unsigned int doorbell_hint;		/* [v] slot that rang last */
	struct qvm_post post;			/* post.h */
	/*
	 * [v], read without lock. An exit counts few: at tier 0 its reason_tier0, else its reason. One
	 * that has none is in exits, and in tier0 if answered there; entries stays 0, and user_exits
	 * has no accesses: what follows is for who asks to sum up (qvm_vcpu_stats_get()).
	 */
	struct qvm_vcpu_stats stats;
	struct qvm_histogram *histogram;	/* [C]; what is in it as stats */
	struct qvm_trail trail;			/* [v], read without lock */
	struct qvm_vcpu_arch arch;
};

/* vm.c ------------------------------------------------------------------------------------ */

/* A VM for current->mm. ERR_PTR as at QVM_CREATE_VM. The caller holds the only reference. */
struct qvm_vm *qvm_vm_create(const struct qvm_create_vm *param);

/* References: one per VM fd and per vCPU. The last put destroys; may sleep. */
void qvm_vm_get(struct qvm_vm *vm);
void qvm_vm_put(struct qvm_vm *vm);

int qvm_vm_assemble(struct qvm_vm *vm);			/* VM mutex held */
int qvm_vm_create_vdev(struct qvm_vm *vm, const struct qvm_create_vdev *param); /* VM mutex held */
int qvm_vm_set_policy(struct qvm_vm *vm, const struct qvm_vm_policy *param);	/* VM mutex held */
void qvm_vm_info(struct qvm_vm *vm, struct qvm_vm_info *info);
int qvm_vm_next(struct qvm_next_vm *next);	/* as at QVM_NEXT_VM; takes vms_mutex */
int qvm_vm_stat(struct qvm_stat *stat);		/* as at QVM_STAT; takes vms_mutex */

/* A vCPU is about to enter the guest: the VM is RUNNING from the first one on. */
void qvm_vm_start(struct qvm_vm *vm);

/*
 * End the VM, once: later calls change nothing. Any context without the rq lock. @vcpu may be
 * NULL (from outside). Kicks every vCPU.
 */
void qvm_vm_end_system(struct qvm_vm *vm, struct qvm_vcpu *vcpu, u32 event, u64 detail);
void qvm_vm_end_fatal(struct qvm_vcpu *vcpu, u32 cause, u64 syndrome, u64 gva, u64 gpa);
void qvm_vm_end_memory(struct qvm_vm *vm, u64 gpa);	/* QVM_FATAL_MEMORY, of no vCPU */

/*
 * True once a VM for each thing that a guest did: it may be said in the log. A guest can't fill the
 * host's log.
 */
enum vm_log { VM_LOG_SYSREG, VM_LOG_INSTRUCTION };

static inline bool qvm_vm_log_once(struct qvm_vm *vm, enum vm_log what)
{
	return !(atomic_fetch_or(1 << what, &vm->logged) & 1 << what);
}

static inline enum qvm_vm_state qvm_vm_state(const struct qvm_vm *vm)
{
	return atomic_read_acquire(&vm->state);
}

/* VMs and open fds that the module has; 0 after the last close (debugfs, tests). */
extern atomic_t qvm_vm_count, qvm_vcpu_count;

/* region.c -------------------------------------------------------------------------------- */

/* See QVM_VM_ADD_REGION. VM mutex held, VM BUILDING. Interruptible by a fatal signal (EINTR). */
int qvm_region_add(struct qvm_vm *vm, struct qvm_region *param);

/* The region that holds @gpa, or NULL. VM assembled, or VM mutex held. */
const struct qvm_mem *qvm_region_find(const struct qvm_vm *vm, u64 gpa);

/* Unpin and uncharge everything. No vCPU runs; VM mutex and s2_lock held for writing. */
void qvm_region_release_all(struct qvm_vm *vm);

/*
 * Map @count pinned pages from @gpa on. They are the table's, or on error unpinned as far as they
 * were not mapped. Errors of s2_map().
 */
int qvm_region_map(struct qvm_vm *vm, u64 gpa, struct page **pages, long count, u32 prot);

/* Unpin @size bytes that nothing maps any more. */
void qvm_region_unpin(u64 hpa, u64 size);

/* fault.c --------------------------------------------------------------------------------- */

/*
 * up_write() of vm->s2_lock: the writer looks for broken memory, should a notifier have asked for it
 * meanwhile. Process context.
 */
void qvm_s2_write_done(struct qvm_vm *vm);

/* Ends the VM if any of its memory has failed. Process context, s2_lock not held. */
void qvm_region_check_all(struct qvm_vm *vm);

/*
 * Tie the VM to the life of its mm, and away from it: that ends the VM, where it has not ended, and
 * releases its regions, as the end of the mm does. vCPUs are there, no thread in them, no lock of
 * ours held. May sleep. -ENOMEM, -EINTR.
 */
int qvm_notifier_init(struct qvm_vm *vm);
void qvm_notifier_fini(struct qvm_vm *vm);

/*
 * The guest touched @gpa of a RAM region and stage 2 has nothing there: pin and map it anew. 0: run
 * the access again (also if the thread is killed). -EFAULT: the owner has no memory there;
 * -EHWPOISON: it failed; -ENOMEM, -EAGAIN, -EBUSY: it could not be pinned for a second. Sleeps meanwhile,
 * until a signal: then 0. A thread of vm->mm, s2_lock not held.
 */
int qvm_region_fault(struct qvm_vm *vm, u64 gpa);

/* See QVM_VM_REGION_DISCARD. VM mutex held. */
int qvm_region_discard(struct qvm_vm *vm, const struct qvm_discard *param);

/* vcpu.c ---------------------------------------------------------------------------------- */

/* ERR_PTR as at QVM_VM_CREATE_VCPU. VM mutex held. No one else sees it yet. */
struct qvm_vcpu *qvm_vcpu_create(struct qvm_vm *vm, u32 index);

/* It has an fd: from here on it belongs to its VM, and is found and kicked. VM mutex held. */
void qvm_vcpu_publish(struct qvm_vcpu *vcpu);

/* Never published, or the VM's last reference is gone: no thread can be inside. */
void qvm_vcpu_destroy(struct qvm_vcpu *vcpu);

/*
 * Guest state onto this pCPU, and away from it; vCPU mutex held. Between them a preemption
 * puts and loads by itself. load may not nest.
 */
void qvm_vcpu_load(struct qvm_vcpu *vcpu);
void qvm_vcpu_put(struct qvm_vcpu *vcpu);

/*
 * Make @vcpu look at its requests soon: leaves the guest if it is there, wakes up if it sleeps.
 * Any context but under the rq lock; interrupts on or off.
 */
void qvm_vcpu_kick(struct qvm_vcpu *vcpu);

/*
 * Wait until @vcpu is kicked, has a signal, or (if it is powered on) has an interrupt to take:
 * poll as long as the VM's policy lets it, then sleep. vCPU mutex held, loaded.
 */
void qvm_vcpu_block(struct qvm_vcpu *vcpu);

/* run.c ----------------------------------------------------------------------------------- */

/* Module parameter: arch/ may answer exits at tier 0. */
extern bool qvm_tier0;

/* See QVM_VCPU_RUN. vCPU mutex held. */
int qvm_vcpu_run(struct qvm_vcpu *vcpu);

/* 6.13 (and before it real-time kernels): a task waits for this one's next moment that suits. */
#ifdef _TIF_NEED_RESCHED_LAZY
#define QVM_RESCHED_LAZY	_TIF_NEED_RESCHED_LAZY
#else
#define QVM_RESCHED_LAZY	0
#endif

/* What of a thread's flags ends a stay in the guest: signals, task work, the scheduler. */
#define QVM_THREAD_WORK	(_TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL | _TIF_NOTIFY_RESUME | \
			 _TIF_NEED_RESCHED | QVM_RESCHED_LAZY)

/*
 * The last look before the guest is entered, interrupts off, mode VCPU_IN_GUEST: something wants
 * the vCPU's thread outside. What comes after it is an interrupt, which ends the guest.
 */
static inline bool qvm_vcpu_is_wanted(const struct qvm_vcpu *vcpu)
{
	return atomic_read(&vcpu->kicked) | READ_ONCE(vcpu->run->immediate_exit) |
	       (read_thread_flags() & QVM_THREAD_WORK);
}

/*
 * The interrupt of a kick was taken in place of the host, mode VCPU_IN_GUEST, interrupts off: true if
 * all that the kick was for is done by the next entry (interrupts of the guest). Else the vCPU
 * stays kicked.
 */
bool qvm_vcpu_take_kick(struct qvm_vcpu *vcpu);

/* exit.c ---------------------------------------------------------------------------------- */

/*
 * The four answers to a guest access that the stage-2 table did not permit: an in-kernel
 * vdev, or user space, or a fault. access->data holds the value of a write; of a read the
 * arch's completion takes it.
 */
enum exit_action qvm_exit_access(struct qvm_vcpu *vcpu, const struct qvm_access *access);

/* The same of vcpu->mmio at @pc, where qvm_exit_is_users(). */
enum exit_action qvm_exit_user(struct qvm_vcpu *vcpu, u64 pc);

/* Address, width and space of an access, as a number: never 0, for no gpa has 56 bits. */
static inline u64 qvm_access_place(const struct qvm_access *access)
{
	return access->gpa | (u64)access->len << 56 | (u64)access->is_port << 63;
}

/*
 * The last access that went to user space was to the same place, where no vdev, no memory and no
 * doorbell is: the first two of an assembled VM keep their addresses.
 */
static inline bool qvm_exit_is_users(const struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	return vcpu->last_user == qvm_access_place(access) &&
	       vcpu->last_user_bells == READ_ONCE(vcpu->vm->eventfds.doorbells_added);
}

/*
 * Tier 0b, interrupts off: a doorbell takes @access, be it to signal or to post; a vdev does, and @data
 * is what it reads. False: nothing was done, tier 1 may know more.
 */
static inline bool qvm_exit_doorbell_0b(struct qvm_vcpu *vcpu, const struct qvm_access *access)
{
	return !IS_ENABLED(CONFIG_PREEMPT_RT) && access->is_write && qvm_doorbell_ring(vcpu, access);
}

bool qvm_exit_vdev_0b(struct qvm_vcpu *vcpu, const struct qvm_access *access, u64 *data);

/* User space answered the last QVM_EXIT_MMIO: finish it. */
enum exit_action qvm_exit_complete(struct qvm_vcpu *vcpu);

/* Nobody's address: what the VM's policy says. */
enum exit_action qvm_exit_unclaimed(struct qvm_vcpu *vcpu, const struct qvm_access *access);

/* s2.c ------------------------------------------------------------------------------------ */

int qvm_s2_init(struct qvm_vm *vm);	/* -ENOMEM, -EINVAL */
void qvm_s2_destroy(struct qvm_vm *vm);	/* flushes the VM's translations, frees the tables */

/* ioctl.c ---------------------------------------------------------------------------------- */
extern const struct file_operations qvm_system_fops;

#endif /* QVM_CORE_H */
