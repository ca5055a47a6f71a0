// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kicks and sleep (kmod/vcpu.c): one thread goes to sleep or into the guest, another kicks it, in
 * every order of their accesses to what they share. Each has a store buffer that is drained by
 * its barriers alone, as late as a weakly ordered CPU may: who forgets a barrier or looks too
 * early sleeps for ever in some of these runs.
 *
 * CFLAGS: -Wno-unused-function
 */
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/types.h>

#include <errno.h>
#include <string.h>
#include <ucontext.h>

#include "unit.h"

/* ---- two threads, of which one goes on at each shared access */

enum { VCPU, KICKER, THREADS };

#define STORES	8
#define STEPS	64

struct store {
	int *at;
	int value;
};

static struct thread {
	ucontext_t context;
	char stack[64 * 1024];
	bool done;
	const int *wants;		/* it does not go on before this is value */
	int value;
	unsigned int stores;
	struct store store[STORES];
} threads[THREADS];

static ucontext_t scheduler;
static unsigned int running;

/* Let the scheduler choose who goes on. */
static void shared_access(void)
{
	swapcontext(&threads[running].context, &scheduler);
}

static void drain(void)
{
	struct thread *me = &threads[running];
	unsigned int i;

	for (i = 0; i < me->stores; i++)
		*me->store[i].at = me->store[i].value;
	me->stores = 0;
}

static int load(const int *at)
{
	struct thread *me = &threads[running];
	unsigned int i;

	shared_access();
	for (i = me->stores; i > 0; i--) {
		if (me->store[i - 1].at == at)
			return me->store[i - 1].value;
	}
	return *at;
}

static void store(int *at, int value)
{
	struct thread *me = &threads[running];

	shared_access();
	CHECK(me->stores < STORES);
	me->store[me->stores++] = (struct store){ at, value };
}

static int exchange(int *at, int value)
{
	int old;

	shared_access();
	drain();
	old = *at;
	*at = value;
	return old;
}

/* ---- the kernel's words for it, in place of the stand-ins of one thread */

#define FAKE_LINUX_ATOMIC_H
#define FAKE_ASM_BARRIER_H

typedef struct {
	int counter;
} atomic_t;

#define atomic_read(v)			load(&(v)->counter)
#define atomic_set(v, i)		store(&(v)->counter, i)
#define atomic_set_release(v, i)	store(&(v)->counter, i)
#define atomic_xchg(v, i)		exchange(&(v)->counter, i)
#define atomic_inc(v)			((void)(v)->counter++)
#define atomic_dec(v)			((void)(v)->counter--)
#define smp_mb()			drain()
#define smp_store_release(p, v)		(*(p) = (v))

#define TASK_RUNNING		0
#define TASK_INTERRUPTIBLE	1

struct task_struct {
	int state;
};

static struct task_struct vcpu_thread;

#define current				(running == VCPU ? &vcpu_thread : NULL)
#define signal_pending(task)		false
#define __set_current_state(s)		store(&vcpu_thread.state, s)

/* Ends in a full barrier (include/linux/sched.h). */
#define set_current_state(s) do {					\
	__set_current_state(s);						\
	smp_mb();							\
} while (0)

/* Nothing but this can make the thread go on. */
static void wait_for(const int *at, int value)
{
	drain();
	threads[running].wants = at;
	threads[running].value = value;
	shared_access();
	threads[running].wants = NULL;
}

static void schedule(void)
{
	wait_for(&vcpu_thread.state, TASK_RUNNING);
}

/* A full barrier before it looks at the state, if it wakes (Documentation/memory-barriers.txt). */
static void wake_up_process(struct task_struct *task)
{
	exchange(&task->state, TASK_RUNNING);
}

static int interrupt;		/* that a kick sent to the pCPU of the guest */

static void kick_process(struct task_struct *task)
{
	(void)task;
	exchange(&interrupt, 1);
}

/* ---- what of the seam vcpu.c needs */

#define QVM_ARCH_H
#define QVM_HISTOGRAM_H

#include <linux/preempt.h>
#include <linux/slab.h>

struct mutex {
	int unused;
};

enum vcpu_mode { VCPU_OUTSIDE, VCPU_IN_GUEST, VCPU_BLOCKED };
enum vcpu_power { VCPU_OFF, VCPU_STARTING, VCPU_ON_PENDING, VCPU_ON };
enum { QVM_VM_BUILDING };

struct qvm_vcpu;
struct qvm_run;

struct qvm_histogram {
	int unused;
};

struct qvm_vm {
	struct {
		u64 poll_ns;
	} policy;
	unsigned int max_vcpus, vcpu_count;
	struct qvm_vcpu *vcpu[1];
};

struct qvm_vcpu {
	struct qvm_vm *vm;
	unsigned int index;
	struct mutex mutex;
	struct qvm_run *run;
	const struct cred *run_cred;
	struct preempt_notifier notifier;
	bool loaded;
	struct task_struct *thread;
	atomic_t mode, kicked, power;
	unsigned long kick_since;
	u64 poll_ns;
	struct qvm_histogram *histogram;
	struct {
		u64 kicks, blocks, polls;
	} stats;
};

struct preempt_ops {
	void (*sched_in)(struct preempt_notifier *notifier, int cpu);
	void (*sched_out)(struct preempt_notifier *notifier, struct task_struct *next);
};

static atomic_t runnable, qvm_vcpu_count;
static unsigned long jiffies;

#define ERR_PTR(error)				((void *)(long)(error))
#define __GFP_ZERO				0
#define preempt_disable()			do { } while (0)
#define preempt_enable()			do { } while (0)
#define preempt_notifier_register(n)		do { } while (0)
#define preempt_notifier_unregister(n)		do { } while (0)
#define preempt_notifier_init(n, ops)		((void)(ops))
#define mutex_init(m)				do { } while (0)
#define alloc_pages_exact(size, gfp)		kzalloc(size, gfp)
#define free_pages_exact(p, size)		kfree(p)
#define qvm_vm_state(vm)			0
#define qvm_arch_vcpu_load(vcpu)		true
#define qvm_arch_vcpu_put(vcpu)			do { } while (0)
#define qvm_arch_vcpu_settle(vcpu)		do { } while (0)
#define qvm_arch_vcpu_create(vcpu)		0
#define qvm_post_init(vcpu)			do { } while (0)
#define qvm_post_fini(vcpu)			do { } while (0)
#define qvm_arch_vcpu_destroy(vcpu)		do { } while (0)
#define qvm_arch_vcpu_block(vcpu)		do { } while (0)
#define qvm_arch_vcpu_unblock(vcpu)		do { } while (0)
#define qvm_arch_vcpu_runnable(vcpu)		atomic_read(&runnable)
#define qvm_arch_vcpu_poll(vcpu)		do { } while (0)
#define qvm_arch_vcpu_unpoll(vcpu)		do { } while (0)
#define need_resched()				false
#define single_task_running()			true
#define cpu_relax()				do { } while (0)

/* A clock that goes on when it is looked at: polling is over after the second look. */
static u64 ticks;

#define ktime_get_ns()				(++ticks)

void qvm_vcpu_load(struct qvm_vcpu *vcpu);
void qvm_vcpu_put(struct qvm_vcpu *vcpu);
void qvm_vcpu_kick(struct qvm_vcpu *vcpu);
void qvm_vcpu_block(struct qvm_vcpu *vcpu);
void qvm_vcpu_destroy(struct qvm_vcpu *vcpu);
struct qvm_vcpu *qvm_vcpu_create(struct qvm_vm *vm, u32 index);
void qvm_vcpu_publish(struct qvm_vcpu *vcpu);

#include "vcpu.c"

/* ---- all orders of one scenario */

static struct qvm_vm vm;
static struct qvm_vcpu vcpu;
static u64 poll_ns;			/* of the vCPU, 0: it sleeps at once */
static void (*bodies[THREADS])(void);

static void body(void)
{
	unsigned int me = running;

	bodies[me]();
	shared_access();
	drain();
	threads[me].done = true;
	swapcontext(&threads[me].context, &scheduler);
}

static void start(unsigned int i)
{
	threads[i].done = false;
	threads[i].wants = NULL;
	threads[i].stores = 0;
	getcontext(&threads[i].context);
	threads[i].context.uc_stack.ss_sp = threads[i].stack;
	threads[i].context.uc_stack.ss_size = sizeof(threads[i].stack);
	makecontext(&threads[i].context, body, 0);
}

static bool can_run(unsigned int i)
{
	return !threads[i].done && (!threads[i].wants || *threads[i].wants == threads[i].value);
}

/* One run by choices[]; what it does not say yet is 0. The number of choices there were. */
static unsigned int run_once(u8 *choices, unsigned int count)
{
	unsigned int step = 0, i;

	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	vm.policy.poll_ns = poll_ns;
	vcpu.poll_ns = poll_ns;
	vcpu.thread = &vcpu_thread;
	vcpu.power.counter = VCPU_ON;
	vcpu_thread.state = TASK_RUNNING;
	runnable.counter = 0;
	interrupt = 0;
	for (i = 0; i < THREADS; i++)
		start(i);
	while (can_run(VCPU) || can_run(KICKER)) {
		if (can_run(VCPU) && can_run(KICKER)) {
			CHECK(step < STEPS);
			if (step >= count)
				choices[step] = 0;
			running = choices[step++];
		} else {
			running = can_run(VCPU) ? VCPU : KICKER;
		}
		swapcontext(&scheduler, &threads[running].context);
	}
	return step;
}

/* The next in order after a run of @count choices, or 0: that was the last. */
static unsigned int next_order(u8 *choices, unsigned int count)
{
	while (count && choices[count - 1])
		count--;
	if (count)
		choices[count - 1] = 1;
	return count;
}

static unsigned long all_orders(void (*of_vcpu)(void), void (*of_kicker)(void))
{
	unsigned long orders = 0;
	unsigned int count = 0;
	u8 choices[STEPS];

	bodies[VCPU] = of_vcpu;
	bodies[KICKER] = of_kicker;
	do {
		count = run_once(choices, count);
		CHECK(threads[KICKER].done);
		CHECK(threads[VCPU].done);	/* or it sleeps, and nobody will wake it */
		orders++;
		count = next_order(choices, count);
	} while (count);
	return orders;
}

/* ---- scenarios */

static void sleeps(void)
{
	qvm_vcpu_block(&vcpu);
}

static void kicks(void)
{
	qvm_vcpu_kick(&vcpu);
}

static void gives_an_interrupt(void)
{
	atomic_set(&runnable, 1);
	qvm_vcpu_kick(&vcpu);
}

/* As qvm_arch_vcpu_enter() has to: mode, barrier, the last look; then an interrupt alone ends it. */
static void enters_the_guest(void)
{
	atomic_set(&vcpu.mode, VCPU_IN_GUEST);
	smp_mb();
	if (!atomic_read(&vcpu.kicked))
		wait_for(&interrupt, 1);
	atomic_set(&vcpu.mode, VCPU_OUTSIDE);
}

TEST(a_kick_is_never_slept_through)
{
	CHECK(all_orders(sleeps, kicks) > 500);
}

TEST(an_interrupt_is_never_slept_through)
{
	CHECK(all_orders(sleeps, gives_an_interrupt) > 500);
}

/* Two looks more, before it sleeps. */
TEST(nor_one_that_comes_while_it_polls)
{
	poll_ns = 2;
	CHECK(all_orders(sleeps, kicks) > 1000);
	CHECK(all_orders(sleeps, gives_an_interrupt) > 1000);
	poll_ns = 0;
}

TEST(a_kick_ends_the_guest)
{
	CHECK(all_orders(enters_the_guest, kicks) > 20);
}
