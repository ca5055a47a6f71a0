// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules that hold for every command: sizes, pointers, reserved fields, which fd, which state
 * of the VM, whose address space. A variant a command.
 */
#include <kselftest_harness.h>

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "vm.h"

enum fd_kind { SYSTEM, VM, VCPU };

struct span {
	unsigned int offset, size;
};

#define SPAN(type, field) { offsetof(struct type, field), sizeof(((struct type *)0)->field) }

/* Good arguments for the machine of machine_make(). */
static void fill(unsigned long cmd, struct machine *m, void *arg)
{
	switch (cmd) {
	case QVM_CREATE_VM:
		*(struct qvm_create_vm *)arg = (struct qvm_create_vm){ .name = "another", .max_vcpus = 1 };
		break;
	case QVM_VM_ADD_REGION:
		*(struct qvm_region *)arg = (struct qvm_region){
			.gpa = 0x80000000, .size = PAGE, .kind = QVM_REGION_RAM,
			.hva = (uintptr_t)m->ram,
		};
		break;
	case QVM_VM_CREATE_VDEV:
		*(struct qvm_create_vdev *)arg = (struct qvm_create_vdev){
			.type = QVM_VDEV_ARM64_TIMER, .param = { 27, 30 },
		};
		break;
	case QVM_VM_CREATE_VCPU:
		((struct qvm_create_vcpu *)arg)->index = 1;
		break;
	case QVM_VM_SET_IRQ:
		((struct qvm_irq *)arg)->line = SPI;
		break;
	case QVM_VM_SET_POLICY:
		((struct qvm_vm_policy *)arg)->reference = QVM_POLICY_IGNORE;
		break;
	case QVM_STAT:
		strcpy(((struct qvm_stat *)arg)->name, m->name);
		break;
	case QVM_VM_DOORBELL:
		*(struct qvm_doorbell *)arg = (struct qvm_doorbell){
			.addr = DEVICE_GPA + 8, .len = 4, .eventfd = must(eventfd(0, EFD_CLOEXEC)),
		};
		break;
	case QVM_VM_IRQFD:
		*(struct qvm_irqfd *)arg = (struct qvm_irqfd){
			.line = SPI, .eventfd = must(eventfd(0, EFD_CLOEXEC)),
		};
		break;
	case QVM_VCPU_GET_REG:
	case QVM_VCPU_SET_REG:
		((struct qvm_reg *)arg)->id = QVM_REG_X(3);
		break;
	default:
		break;
	}
}

FIXTURE(command)
{
	struct machine m;
	int fd;
	char *arg;		/* ends where the mapping ends */
	unsigned int size;
};

/* The VM's states that a command may meet; what it says in each. */
enum { BUILDING, ASSEMBLED, RUNNING, ENDED, CUT_OFF, STATES };

FIXTURE_VARIANT(command)
{
	unsigned long cmd;
	enum fd_kind kind;
	int result[STATES];
	struct span zero[4];	/* flags and reserved fields */
	unsigned int first_size; /* bytes of the first version, where it has grown since */
};

#define ALWAYS			{ 0, 0, 0, 0, 0 }
#define WHILE_BUILDING		{ 0, -EBUSY, -EBUSY, -EBUSY, -EBUSY }

#define COMMAND(name_, cmd_, kind_, ...)					\
	FIXTURE_VARIANT_ADD(command, name_) { .cmd = cmd_, .kind = kind_, __VA_ARGS__ }

COMMAND(query, QVM_QUERY, SYSTEM, .result = ALWAYS, .zero = { SPAN(qvm_query, reserved) });
COMMAND(create_vm, QVM_CREATE_VM, SYSTEM, .result = ALWAYS,
	.zero = { SPAN(qvm_create_vm, vm_type), SPAN(qvm_create_vm, flags), SPAN(qvm_create_vm, reserved) });
COMMAND(add_region, QVM_VM_ADD_REGION, VM, .result = WHILE_BUILDING,
	.zero = { SPAN(qvm_region, as_id), SPAN(qvm_region, reserved) });
COMMAND(create_vdev, QVM_VM_CREATE_VDEV, VM, .result = WHILE_BUILDING,
	.zero = { SPAN(qvm_create_vdev, flags), SPAN(qvm_create_vdev, param[2]),
		  SPAN(qvm_create_vdev, param[13]) });
COMMAND(create_vcpu, QVM_VM_CREATE_VCPU, VM, .result = WHILE_BUILDING,
	.zero = { SPAN(qvm_create_vcpu, flags), SPAN(qvm_create_vcpu, reserved) });
COMMAND(assemble, QVM_VM_ASSEMBLE, VM, .result = WHILE_BUILDING);
COMMAND(set_irq, QVM_VM_SET_IRQ, VM, .result = { -EAGAIN, 0, 0, -ESHUTDOWN, -ESHUTDOWN },
	.zero = { SPAN(qvm_irq, reserved) });
COMMAND(info, QVM_VM_INFO, VM, .result = ALWAYS, .zero = { SPAN(qvm_vm_info, reserved) },
	.first_size = 56);
COMMAND(end, QVM_VM_END, VM, .result = ALWAYS);
COMMAND(set_policy, QVM_VM_SET_POLICY, VM, .result = WHILE_BUILDING,
	.zero = { SPAN(qvm_vm_policy, reserved) }, .first_size = 16);
COMMAND(next_vm, QVM_NEXT_VM, SYSTEM, .result = ALWAYS, .zero = { SPAN(qvm_next_vm, reserved) });
COMMAND(stat, QVM_STAT, SYSTEM, .result = ALWAYS, .first_size = 688);
COMMAND(unclaimed, QVM_VM_UNCLAIMED, VM, .result = ALWAYS);
COMMAND(trail, QVM_VCPU_TRAIL, VCPU, .result = ALWAYS);
COMMAND(doorbell, QVM_VM_DOORBELL, VM, .result = { -EAGAIN, 0, 0, -ESHUTDOWN, -ESHUTDOWN },
	.zero = { SPAN(qvm_doorbell, datamatch), SPAN(qvm_doorbell, reserved) });
COMMAND(irqfd, QVM_VM_IRQFD, VM, .result = { -EAGAIN, 0, 0, -ESHUTDOWN, -ESHUTDOWN },
	.zero = { SPAN(qvm_irqfd, resample), SPAN(qvm_irqfd, reserved) });
COMMAND(run, QVM_VCPU_RUN, VCPU, .result = { -EAGAIN, 0, 0, 0, 0 });
COMMAND(get_reg, QVM_VCPU_GET_REG, VCPU, .result = ALWAYS);
COMMAND(set_reg, QVM_VCPU_SET_REG, VCPU, .result = ALWAYS);
COMMAND(stats, QVM_VCPU_STATS, VCPU, .result = ALWAYS, .first_size = 640);

GUEST(guest_device, G_DEVICE "1: str wzr, [x28]\n b 1b");

/* A board with all but the timer and vCPU 1, which the tests of those commands add. */
static void machine_make(struct machine *m)
{
	machine_build(m, &guest_device, 1);
	must(create_vdev(m->vm, QVM_VDEV_ARM64_GICV3, GICD_GPA, GICR_GPA, 64));
}

static int fd_of(const struct machine *m, enum fd_kind kind)
{
	return kind == SYSTEM ? m->sys : kind == VM ? m->vm : m->vcpu[0];
}

FIXTURE_SETUP(command)
{
	char *page = map_memory(2 * PAGE);

	must(mprotect(page + PAGE, PAGE, PROT_NONE));
	machine_make(&self->m);
	self->fd = fd_of(&self->m, variant->kind);
	self->size = _IOC_SIZE(variant->cmd);
	self->arg = page + PAGE - self->size;
	fill(variant->cmd, &self->m, self->arg);
	/* so that SET_IRQ and RUN get as far as their argument */
	if (variant->result[BUILDING])
		machine_assemble(&self->m);
}

FIXTURE_TEARDOWN(command)
{
	machine_close(&self->m);
}

/* The same command for a structure of another size. */
static unsigned long resize(unsigned long cmd, unsigned int size)
{
	return _IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), size);
}

TEST_F(command, good)
{
	EXPECT_LE(0, call(self->fd, variant->cmd, self->arg));
}

TEST_F(command, too_small)
{
	unsigned int size, first = variant->first_size ?: self->size;

	for (size = 0; size < first; size++)
		EXPECT_EQ(-EINVAL, call(self->fd, resize(variant->cmd, size), self->arg)) {
			TH_LOG("size %u", size);
		}
	EXPECT_LE(0, call(self->fd, variant->cmd, self->arg));
}

TEST_F(command, larger)
{
	char arg[self->size + 64];

	memset(arg, 0, sizeof(arg));
	memcpy(arg, self->arg, self->size);
	if (_IOC_DIR(variant->cmd) & _IOC_WRITE) {
		arg[self->size] = 1;
		EXPECT_EQ(-E2BIG, call(self->fd, resize(variant->cmd, self->size + 1), arg));
		EXPECT_EQ(-E2BIG, call(self->fd, resize(variant->cmd, self->size + 64), arg));
		arg[self->size] = 0;
		arg[self->size + 63] = 1;
		EXPECT_EQ(-E2BIG, call(self->fd, resize(variant->cmd, self->size + 64), arg));
		arg[self->size + 63] = 0;
	}
	if (!self->size)
		return;
	EXPECT_LE(0, call(self->fd, resize(variant->cmd, self->size + 64), arg));
}

/* A newer program finds zero in the fields that this module does not know. */
TEST_F(command, larger_out)
{
	char arg[self->size + 64];
	unsigned int i;

	if (_IOC_DIR(variant->cmd) != _IOC_READ)
		return;
	memset(arg, 0x55, sizeof(arg));
	EXPECT_EQ(0, call(self->fd, resize(variant->cmd, self->size + 64), arg));
	for (i = self->size; i < sizeof(arg); i++)
		EXPECT_EQ(0, arg[i]);
}

TEST_F(command, bad_pointer)
{
	if (!self->size)
		return;
	EXPECT_EQ(-EFAULT, call(self->fd, variant->cmd, NULL));
	EXPECT_EQ(-EFAULT, call(self->fd, variant->cmd, (void *)(1UL << 63)));
	EXPECT_EQ(-EFAULT, call(self->fd, variant->cmd, (void *)-1UL));
	EXPECT_EQ(-EFAULT, call(self->fd, variant->cmd, self->arg + 1));
}

TEST_F(command, result_to_read_only_memory)
{
	long vms = module_count("vm_count");

	if (!(_IOC_DIR(variant->cmd) & _IOC_READ))
		return;
	must(mprotect((void *)((uintptr_t)self->arg & -PAGE), PAGE, PROT_READ));
	EXPECT_EQ(-EFAULT, call(self->fd, variant->cmd, self->arg));
	/* what it created is gone again, its name too */
	EXPECT_EQ(vms, module_count("vm_count"));
	must(mprotect((void *)((uintptr_t)self->arg & -PAGE), PAGE, PROT_READ | PROT_WRITE));
	if (variant->cmd == QVM_CREATE_VM)
		EXPECT_LE(0, call(self->fd, variant->cmd, self->arg));
}

TEST_F(command, flags_and_reserved)
{
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(variant->zero) && variant->zero[i].size; i++)
		for (bit = 0; bit < 8 * variant->zero[i].size; bit++) {
			char *byte = self->arg + variant->zero[i].offset + bit / 8;

			*byte ^= 1 << bit % 8;
			EXPECT_EQ(-EINVAL, call(self->fd, variant->cmd, self->arg)) {
				TH_LOG("offset %u, bit %u", variant->zero[i].offset, bit);
			}
			*byte ^= 1 << bit % 8;
		}
	EXPECT_LE(0, call(self->fd, variant->cmd, self->arg));
}

TEST_F(command, wrong_fd)
{
	int null = must(open("/dev/null", O_RDWR));
	enum fd_kind kind;

	for (kind = SYSTEM; kind <= VCPU; kind++)
		if (kind != variant->kind)
			EXPECT_EQ(-ENOTTY, call(fd_of(&self->m, kind), variant->cmd, self->arg));
	EXPECT_EQ(-ENOTTY, call(null, variant->cmd, self->arg));
	EXPECT_EQ(-EBADF, call(-1, variant->cmd, self->arg));
}

TEST_F(command, unknown)
{
	unsigned long cmd = variant->cmd;
	unsigned int size = _IOC_SIZE(cmd), dir;

	EXPECT_EQ(-ENOTTY, call(self->fd, _IOC(_IOC_DIR(cmd), QVM_IOC, 0x7f, size), self->arg));
	EXPECT_EQ(-ENOTTY, call(self->fd, _IOC(_IOC_DIR(cmd), 0xae, _IOC_NR(cmd), size), self->arg));
	for (dir = 0; dir < 4; dir++)
		if (dir != _IOC_DIR(cmd))
			EXPECT_EQ(-ENOTTY, call(self->fd, _IOC(dir, QVM_IOC, _IOC_NR(cmd), size), self->arg));
}

/* ---- states ---- */

static void machine_reach(struct machine *m, int state)
{
	if (state != BUILDING && state != CUT_OFF)
		machine_assemble(m);
	if (state == RUNNING || state == ENDED)
		must(run_vcpu(m, 0) == QVM_EXIT_MMIO ? 0 : -EPROTO);
	if (state == ENDED || state == CUT_OFF)
		must(call(m->vm, QVM_VM_END, NULL));
}

TEST_F(command, in_each_state)
{
	static const unsigned int seen[STATES] = {
		QVM_VM_BUILDING, QVM_VM_ASSEMBLED, QVM_VM_RUNNING, QVM_VM_ENDED, QVM_VM_ENDED,
	};
	int state;

	for (state = BUILDING; state < STATES; state++) {
		char arg[self->size + 1];
		struct machine m;
		int ret;

		memset(arg, 0, sizeof(arg));
		machine_make(&m);
		machine_reach(&m, state);
		EXPECT_EQ(seen[state], vm_info(m.vm).state);
		fill(variant->cmd, &m, arg);
		do
			ret = call(fd_of(&m, variant->kind), variant->cmd, arg);
		while (ret == -EINTR);
		/* a new fd is good too */
		EXPECT_EQ(variant->result[state], ret < 0 ? ret : 0) {
			TH_LOG("state %d", state);
		}
		if (variant->cmd == QVM_CREATE_VM)
			close(ret);
		machine_close(&m);
	}
}

/* ---- whose address space ---- */

static int child_call(int fd, unsigned long cmd, void *arg)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(-call(fd, cmd, arg) & 0xff);
	must(waitpid(child, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(command, of_another_process)
{
	int ret = child_call(self->fd, variant->cmd, self->arg);

	if (variant->kind != SYSTEM)
		EXPECT_EQ(EIO, ret);
	/* and nothing has happened */
	EXPECT_LE(0, call(self->fd, variant->cmd, self->arg));
}

static void fd_send(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	must(sendmsg(socket, &msg, 0));
}

static int fd_receive(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	int fd;

	must(recvmsg(socket, &msg, 0));
	must(CMSG_FIRSTHDR(&msg) ? 0 : -EPROTO);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

TEST(passed_over_a_socket)
{
	struct qvm_vm_info info = { 0 };
	struct machine m;
	int pair[2], status;
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = fork();
	if (!child) {
		int vm = fd_receive(pair[1]), vcpu = fd_receive(pair[1]);
		int bad = call(vm, QVM_VM_INFO, &info) != -EIO || call(vm, QVM_VM_END, NULL) != -EIO ||
			  call(vcpu, QVM_VCPU_RUN, NULL) != -EIO;

		_exit(bad);
	}
	machine_start(&m, &guest_device, 1);
	fd_send(pair[0], m.vm);
	fd_send(pair[0], m.vcpu[0]);
	must(waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(QVM_EXIT_MMIO, run_vcpu(&m, 0));
}

/* The creator ends, and the VM's memory with it; the other's fds can do nothing with what is left. */
TEST(orphaned)
{
	int pair[2], status, vm;
	pid_t child;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	child = fork();
	if (!child) {
		struct machine m;

		machine_start(&m, &guest_device, 1);
		fd_send(pair[1], m.vm);
		_exit(0);
	}
	must(waitpid(child, &status, 0));
	vm = fd_receive(pair[0]);
	EXPECT_EQ(-EIO, call(vm, QVM_VM_END, NULL));
	EXPECT_EQ(1, module_count("vm_count"));
	EXPECT_TRUE(eventually(module_count("pinned_pages") == 0));
	close(vm);
	EXPECT_TRUE(module_is_empty());
}

static int shares_memory(void *arg)
{
	struct machine *m = arg;
	struct qvm_vm_info info = { 0 };

	return call(m->vm, QVM_VM_INFO, &info) ? 1 : 0;
}

/* It is the address space that counts, not the process. */
TEST(process_with_the_same_memory)
{
	char *stack = map_memory(16 * PAGE);
	struct machine m;
	int status;
	pid_t child;

	machine_start(&m, &guest_device, 1);
	child = must(clone(shares_memory, stack + 16 * PAGE, CLONE_VM | CLONE_FILES | SIGCHLD, &m));
	must(waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
