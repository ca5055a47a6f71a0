// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE	/* thread names and affinity */
#include "vm/vcpu.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dev/device_host.h"
#include "machine/machine.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/loop.h"
#include "vm/exit.h"
#include "vm/pause.h"
#include "vm/post.h"
#include "vm/sys.h"
#include "vm/vm.h"

#define THREAD_NAME_SIZE	16	/* the kernel's limit, NUL included */
#define RESET_ON_FORK		1	/* SCHED_FLAG_RESET_ON_FORK of linux/sched.h */

/* Held while threads are being started: each passes it once before it enters the guest. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static sem_t has_tid;		/* posted by the one that is being started */

int vcpus_create(struct vm *vm)
{
	vm->vcpus = calloc(vm->machine->cpu_count, sizeof(*vm->vcpus));
	if (!vm->vcpus)
		return -ENOMEM;
	for (uint32_t i = 0; i < vm->machine->cpu_count; i++) {
		struct vcpu *vcpu = &vm->vcpus[i];
		int error;

		vcpu->vm = vm;
		vcpu->index = i;
		pthread_mutex_init(&vcpu->post_lock, NULL);
		error = sys_create_vcpu(vm->sys_vm, i, &vcpu->sys);
		if (error) {
			log_at(&vm->machine->cpu[i].origin, NULL, "can't create vCPU %u: %s", i,
			       strerror(-error));
			return error;
		}
	}
	return 0;
}

void vcpus_destroy(struct vm *vm)
{
	for (size_t i = 0; vm->vcpus && i < vm->machine->cpu_count; i++) {
		sys_destroy_vcpu(vm->vcpus[i].sys);
		pthread_mutex_destroy(&vm->vcpus[i].post_lock);
	}
	free(vm->vcpus);
	vm->vcpus = NULL;
}

/* ---- the thread ---- */

static void vcpu_loop(struct vcpu *vcpu)
{
	struct qvm_run *run = sys_vcpu_run_page(vcpu->sys);
	struct vm *vm = vcpu->vm;
	enum exit_action action = EXIT_RESUME;

	if (vcpu->index == 0 && !__atomic_load_n(&vm->leaving, __ATOMIC_SEQ_CST))
		vm_started(vm);		/* the others wait until it switches them on */
	while (action == EXIT_RESUME && !__atomic_load_n(&vm->leaving, __ATOMIC_SEQ_CST)) {
		int error;

		pause_enter(vcpu);
		error = sys_vcpu_run(vcpu->sys);
		pause_leave(vcpu);
		if (!post_is_empty(run))
			post_take(vcpu);

		if (error == -EINTR) {
			/* Before the look at vm->leaving: who kicks sets that first. */
			sys_vcpu_set_immediate_exit(vcpu->sys, false);
		} else if (error) {
			if (vm_settle(vm, STATUS_UNEXPECTED))
				log_error("vCPU %u can't run: %s", vcpu->index, strerror(-error));
			vm_stop(vm, STATUS_UNEXPECTED);
			action = EXIT_LEAVE;
		} else {
			action = exit_handle(vcpu, run);
		}
	}
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct vm *vm = vcpu->vm;
	sigset_t kick;

	sigemptyset(&kick);
	sigaddset(&kick, sys_kick_signal());
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	device_guard_thread();
	vcpu->tid = syscall(SYS_gettid);
	sem_post(&has_tid);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	vcpu_loop(vcpu);
	if (__atomic_sub_fetch(&vm->running, 1, __ATOMIC_SEQ_CST) == 0)
		loop_stop();
	return NULL;
}

/* ---- start ---- */

static void on_kick(int signal)
{
	(void)signal;	/* its arrival is all: a system call returns EINTR */
}

/* "<vm>-vCPU<n>"; what has to go goes from the VM's name. */
static void name_thread(const struct vcpu *vcpu)
{
	char name[THREAD_NAME_SIZE], suffix[THREAD_NAME_SIZE];
	int size = snprintf(suffix, sizeof(suffix), "-vCPU%u", vcpu->index % 1000);

	memset(name, 0, sizeof(name));
	strncpy(name, vcpu->vm->machine->name, sizeof(name) - 1 - (size_t)size);
	strcat(name, suffix);
	pthread_setname_np(vcpu->thread, name);
}

static int enter_partition(const struct vcpu *vcpu, const struct cpu *cpu)
{
	char *threads = xasprintf("%s/cgroup.threads", cpu->partition);
	int file = open(threads, O_WRONLY | O_CLOEXEC);
	int error = file < 0 || dprintf(file, "%d", vcpu->tid) < 0 ? errno : 0;

	if (error == EOPNOTSUPP)
		log_at(&cpu->origin, "partition", "%s is no threaded cgroup below the one that qvm is in: type "
		       "'echo threaded > %s/cgroup.type', and start qvm in the cgroup above it",
		       cpu->partition, cpu->partition);
	else if (error)
		log_at(&cpu->origin, "partition", "%s: the host refuses the vCPU's thread: %s%s", threads,
		       strerror(error), error == EACCES ? "; this user must be given the cgroup above "
		       "it and qvm's, too" : "");
	if (file >= 0)
		close(file);
	free(threads);
	return -error;
}

/* The cgroup first, as it may take CPUs away. */
static int place_thread(const struct vcpu *vcpu, const struct cpu *cpu)
{
	int error = cpu->partition ? enter_partition(vcpu, cpu) : 0;
	cpu_set_t set;

	if (error || cpu->runmask == 0)
		return error;
	CPU_ZERO(&set);
	for (unsigned int i = 0; i < 64; i++) {
		if (cpu->runmask >> i & 1)
			CPU_SET(i, &set);
	}
	error = pthread_setaffinity_np(vcpu->thread, sizeof(set), &set);
	if (error)
		log_at(&cpu->origin, "runmask", "none of these pCPUs can be used here: %s",
		       strerror(error));
	return -error;
}

/* struct sched_attr of linux/sched/types.h, which the sched.h of newer libraries has again. */
struct deadline {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;	/* ns */
};

static const char *deadline_remedy(int error)
{
	switch (error) {
	case EPERM:
		return "it takes root, all CPUs of its cpuset for qvm (taskset -p), and a budget for real "
		       "time on the host (sched_rt_runtime_us)";
	case EBUSY:
		return "so much is not left beside what other threads were promised; write a smaller budget "
		       "or a longer period";
	case EINVAL:
		return "a budget is 1024ns at least, a period within sched_deadline_period_min_us and "
		       "_max_us in /proc/sys/kernel, without other settings 100us to 4194304us";
	default:
		return "write a priority such as 8r";
	}
}

/* What it starts (a command of hostdev) has the normal policy, else it could start nothing. */
static int reserve_time(const struct vcpu *vcpu, const struct cpu *cpu)
{
	const struct deadline attr = {
		.size = sizeof(attr), .policy = SCHED_DEADLINE, .flags = RESET_ON_FORK,
		.runtime = cpu->sched_budget, .deadline = cpu->sched_period, .period = cpu->sched_period,
	};
	int error = syscall(SYS_sched_setattr, vcpu->tid, &attr, 0) ? errno : 0;

	if (error)
		log_at(&cpu->origin, "sched", "the host refuses %" PRIu64 " of every %" PRIu64 " ns "
		       "(SCHED_DEADLINE): %s; %s", cpu->sched_budget, cpu->sched_period,
		       strerror(error), deadline_remedy(error));
	return -error;
}

/* As QNX has it: f runs until it blocks, r and o take turns with others of their priority. */
static int prioritise_thread(const struct vcpu *vcpu, const struct cpu *cpu)
{
	const struct sched_param param = { .sched_priority = cpu->sched_priority };
	int error;

	if (cpu->sched_policy == 's')
		return reserve_time(vcpu, cpu);
	if (!cpu->sched_priority)
		return 0;
	error = pthread_setschedparam(vcpu->thread, cpu->sched_policy == 'f' ? SCHED_FIFO : SCHED_RR,
				      &param);
	if (error)
		log_at(&cpu->origin, "sched", "the host refuses priority %d: %s%s", cpu->sched_priority,
		       strerror(error), error == EPERM ? "; its cgroup may have no real-time budget "
		       "(cpu.rt_runtime_us)" : "");
	return -error;
}

static int vcpu_start(struct vcpu *vcpu)
{
	const struct cpu *cpu = &vcpu->vm->machine->cpu[vcpu->index];
	int error;

	/* Counted before: the thread counts itself out. */
	__atomic_add_fetch(&vcpu->vm->running, 1, __ATOMIC_SEQ_CST);
	error = pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
	if (error) {
		__atomic_sub_fetch(&vcpu->vm->running, 1, __ATOMIC_SEQ_CST);
		log_error("can't start the thread of vCPU %u: %s", vcpu->index, strerror(error));
		return -error;
	}
	vcpu->started = true;
	while (sem_wait(&has_tid))
		;
	name_thread(vcpu);
	error = place_thread(vcpu, cpu);
	return error ? error : prioritise_thread(vcpu, cpu);
}

int vcpus_start(struct vm *vm)
{
	struct sigaction action = { .sa_handler = on_kick };	/* no SA_RESTART */
	int error = 0;

	sigaction(sys_kick_signal(), &action, NULL);
	pthread_mutex_lock(&gate);
	sem_init(&has_tid, 0, 0);
	for (size_t i = 0; !error && i < vm->machine->cpu_count; i++)
		error = vcpu_start(&vm->vcpus[i]);
	if (error)
		__atomic_store_n(&vm->leaving, true, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&gate);
	return error;
}

void vcpus_join(struct vm *vm)
{
	for (size_t i = 0; vm->vcpus && i < vm->machine->cpu_count; i++) {
		bool started = vm->vcpus[i].started;

		vm->vcpus[i].started = false;	/* first: nobody kicks what is not there */
		if (started)
			pthread_join(vm->vcpus[i].thread, NULL);
	}
}

void vcpus_kick(struct vm *vm)
{
	for (size_t i = 0; i < vm->machine->cpu_count; i++) {
		if (!vm->vcpus[i].started)
			continue;
		/* The flag catches a thread that is about to enter, the signal one that is in. */
		sys_vcpu_set_immediate_exit(vm->vcpus[i].sys, true);
		pthread_kill(vm->vcpus[i].thread, sys_kick_signal());
	}
}

/* ---- status ---- */

static void say_reasons(const struct vcpu *vcpu, const struct qvm_vcpu_stats *stats)
{
	char text[512] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < QVM_STATS_REASONS && used < sizeof(text); i++) {
		if (stats->reason[i])
			used += (size_t)snprintf(text + used, sizeof(text) - used, " %#x:%llu", i,
						 (unsigned long long)stats->reason[i]);
	}
	log_info("vCPU %u: exits by hardware reason:%s", vcpu->index, text);
}

void vcpus_status(struct vm *vm)
{
	for (size_t i = 0; i < vm->machine->cpu_count; i++) {
		struct qvm_vcpu_stats s;

		if (sys_vcpu_stats(vm->vcpus[i].sys, &s))
			continue;
		log_info("vCPU %zu: entries %llu, exits %llu (tier 0 %llu, interrupt %llu, to the launcher %llu), waits %llu, kicks %llu",
			 i, s.entries, s.exits, s.tier0, s.irqs, s.user_exits, s.blocks, s.kicks);
		log_info("vCPU %zu: device accesses: kernel %llu, launcher %llu, unclaimed %llu; unknown system registers %llu, undefined instructions %llu",
			 i, s.mmio_kernel, s.mmio_user, s.unclaimed, s.unknown_sysreg, s.undefined);
		say_reasons(&vm->vcpus[i], &s);
	}
}
