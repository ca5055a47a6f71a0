/* SPDX-License-Identifier: GPL-2.0-only */
/* Every difference between kernel versions and configurations that the module meets. */
#ifndef QVM_COMPAT_H
#define QVM_COMPAT_H

#include <linux/version.h>

#ifdef __ASSEMBLER__
/* 6.19 leaves what clears the branch history after an exit to KVM: then entry.S has its own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define QVM_OWN_CLEAR_BRANCH_HISTORY 1
#define QVM_CLEAR_BRANCH_HISTORY	\
	ALTERNATIVE "", "call clear_history", X86_FEATURE_CLEAR_BHB_VMEXIT
#else
#define QVM_CLEAR_BRANCH_HISTORY CLEAR_BRANCH_HISTORY_VMEXIT
#endif
#else /* C */

#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>

#ifndef CONFIG_PREEMPT_NOTIFIERS
#error "qvm needs CONFIG_PREEMPT_NOTIFIERS; it comes with CONFIG_KVM, which this kernel was built without"
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "qvm needs Linux 6.1 or newer"
#endif

#ifndef CONFIG_EVENTFD
#error "qvm needs CONFIG_EVENTFD"
#endif

/* 6.8 took the count away: it was always 1. */
static inline void qvm_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* 6.13 added hrtimer_setup(), 6.15 took hrtimer_init() away. */
static inline void qvm_hrtimer_setup(struct hrtimer *timer,
				     enum hrtimer_restart (*fn)(struct hrtimer *), enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, mode);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, mode);
	timer->function = fn;
#endif
}

/* 6.2 took the CPU number away: it was always this one. */
static __always_inline void qvm_rcu_note_context_switch(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	rcu_virt_note_context_switch();
#else
	rcu_virt_note_context_switch(smp_processor_id());
#endif
}

/* 6.3 made vm_flags const. */
static inline void qvm_vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

/* Until 6.18 every module may use what keeps CR4.VMXE in the kernel's shadow; then KVM alone. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define QVM_HAS_CR4_HELPERS 1
/* Likewise the one slot for who has to leave VMX when the kernel crashes. */
#define QVM_HAS_CRASH_CALLBACK 1
#endif

#ifdef CONFIG_ARM64
#include <asm/neon.h>

/* Their registers at EL2 are set up at boot by kernels that know of them. */
#define QVM_HOST_KNOWS_MPAM	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0))
#define QVM_HOST_KNOWS_FGT2	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0))

/* 6.19 keeps what a preempted section has in registers where its owner says. */
static inline void qvm_neon_begin(struct user_fpsimd_state *state)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	kernel_neon_begin(state);
#else
	kernel_neon_begin();
#endif
}

static inline void qvm_neon_end(struct user_fpsimd_state *state)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	kernel_neon_end(state);
#else
	kernel_neon_end();
#endif
}
#endif /* CONFIG_ARM64 */

#ifdef CONFIG_X86
#include <linux/cpu.h>
#include <linux/syscore_ops.h>
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <asm/cpuid/api.h>	/* was in processor.h */
#endif

/* 6.19 gave these callbacks an argument and a holder; Kbuild looks which it is. */
#ifdef QVM_SYSCORE_HAS_DATA
#define QVM_SYSCORE_ARG			void *data
#define QVM_SYSCORE(name, ops_...)	\
	struct syscore name = { .ops = &(const struct syscore_ops){ ops_ } }
#define qvm_syscore_register(syscore)	register_syscore(syscore)
#define qvm_syscore_unregister(syscore)	unregister_syscore(syscore)
#else
#define QVM_SYSCORE_ARG			void
#define QVM_SYSCORE(name, ops_...)	struct syscore_ops name = { ops_ }
#define qvm_syscore_register(syscore)	register_syscore_ops(syscore)
#define qvm_syscore_unregister(syscore)	unregister_syscore_ops(syscore)
#endif

/* 6.16 names MSR accesses after the 64 bits: the old names went. */
static inline int qvm_rdmsr_safe(u32 index, u64 *value)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return rdmsrq_safe(index, value);
#else
	return rdmsrl_safe(index, value);
#endif
}

static inline bool qvm_bug_rfds(void)
{
#ifdef X86_BUG_RFDS
	return boot_cpu_has_bug(X86_BUG_RFDS);
#else
	return false;
#endif
}

/* Predictions of one vCPU are to be no other's. Later kernels have a switch for that, which is KVM's alone to read. */
static inline bool qvm_ibpb_wanted(void)
{
#ifdef X86_FEATURE_USE_IBPB
	return boot_cpu_has(X86_FEATURE_USE_IBPB);
#else
	return boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off();
#endif
}

/* Nor those of a guest its launcher's (VMSCAPE, CVE-2025-40300): the kernel does it, if it is told. */
static inline bool qvm_ibpb_to_user_wanted(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	return boot_cpu_has(X86_FEATURE_IBPB_EXIT_TO_USER);
#else
	return false;
#endif
}

/* Behind an exit, preemption off. */
static __always_inline void qvm_ibpb_to_user(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		__this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/*
 * A machine check that ended a guest is reported as one in user space: what a guest has consumed is its
 * process's loss, not the kernel's. Interrupts off, on the pCPU that it came to.
 */
static inline void qvm_machine_check(void)
{
#ifdef CONFIG_X86_MCE
	struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };

	do_machine_check(&regs);
#endif
}

enum qvm_split_lock { QVM_SPLIT_LOCK_FATAL, QVM_SPLIT_LOCK_ONCE, QVM_SPLIT_LOCK_ALLOW };

/*
 * A guest took a lock across two cache lines: what the host wants done. ONCE: the guest may go on. FATAL: there
 * is a signal for its thread. ALLOW: from 6.19 on only KVM may ask; it is let do it. May sleep.
 */
static inline enum qvm_split_lock qvm_split_lock(unsigned long pc)
{
#if !defined(CONFIG_CPU_SUP_INTEL) || LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
	return QVM_SPLIT_LOCK_ALLOW;
#else
	return handle_guest_split_lock(pc) ? QVM_SPLIT_LOCK_ONCE : QVM_SPLIT_LOCK_FATAL;
#endif
}

static inline bool qvm_bhb_on_vmexit(void)
{
#if defined(X86_FEATURE_CLEAR_BHB_VMEXIT)
	return boot_cpu_has(X86_FEATURE_CLEAR_BHB_VMEXIT);
#elif defined(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT)
	return boot_cpu_has(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT) ||
	       boot_cpu_has(X86_FEATURE_CLEAR_BHB_LOOP);
#else
	return false;
#endif
}

/* The l1tf= option; from 6.19 on it is KVM's alone to read, and mitigations= has to do. */
static inline bool qvm_l1tf_wanted(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	return l1tf_mitigation != L1TF_MITIGATION_OFF;
#else
	return true;
#endif
}

/* l1tf=full asks for a flush at every entry, not only where secrets may have been touched since the last. */
static inline bool qvm_l1tf_always(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
	return l1tf_mitigation == L1TF_MITIGATION_FULL ||
	       l1tf_mitigation == L1TF_MITIGATION_FULL_FORCE;
#else
	return false;
#endif
}
#endif /* CONFIG_X86 */

#endif /* C */

#endif /* QVM_COMPAT_H */
