// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl interface: const tables {command, sizes, locks, function}, one prologue that copies
 * in and locks, one epilogue that unlocks, copies out and only then installs a new fd. This
 * is the module's only copy_*_user site.
 */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "arch.h"
#include "trace.h"
#include "compat.h"
#include "share.h"
#include "stats.h"

enum ioctl_lock { LOCK_NONE, LOCK_VM, LOCK_VCPU };

struct ioctl_call {
	struct qvm_vm *vm;		/* NULL for the system fd */
	struct qvm_vcpu *vcpu;		/* NULL but for a vCPU fd */
	struct file *new_file;		/* set by a function that creates an fd */
	int new_fd;
};

union ioctl_arg {
	struct qvm_query query;
	struct qvm_create_vm create_vm;
	struct qvm_next_vm next_vm;
	struct qvm_stat stat;
	struct qvm_region region;
	struct qvm_create_vdev create_vdev;
	struct qvm_create_vcpu create_vcpu;
	struct qvm_irq irq;
	struct qvm_vm_info vm_info;
	struct qvm_vm_policy policy;
	struct qvm_unclaimed unclaimed;
	struct qvm_doorbell doorbell;
	struct qvm_irqfd irqfd;
	struct qvm_share share;
	struct qvm_discard discard;
	struct qvm_reg reg;
	struct qvm_vcpu_stats stats;
	struct qvm_vcpu_trail trail;
};

struct ioctl_row {
	unsigned int cmd;		/* its size is the kernel's; a caller's may differ */
	u16 min_size;			/* bytes of the first published version */
	u8 lock;			/* enum ioctl_lock */
	long (*fn)(struct ioctl_call *call, union ioctl_arg *arg);
};

/* The fd becomes visible to the process only after everything else has worked. */
static long new_fd(struct ioctl_call *call, const char *name, const struct file_operations *fops,
		   void *private)
{
	struct file *file;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, private, O_RDWR | O_CLOEXEC);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	call->new_file = file;
	call->new_fd = fd;
	return fd;
}

/* ---- system fd ---- */

static const struct file_operations vm_fops, vcpu_fops;

static long do_query(struct ioctl_call *call, union ioctl_arg *arg)
{
	struct qvm_query *query = &arg->query;

	if (query->reserved)
		return -EINVAL;
	memset(query, 0, sizeof(*query));
	query->api_version = QVM_API_VERSION;
	query->max_vcpus = QVM_MAX_VCPUS;
	query->run_size = PAGE_SIZE;
	query->page_size = PAGE_SIZE;
	query->features = QVM_FEATURE_EVENTFD | QVM_FEATURE_SHARE | QVM_FEATURE_RUN_SEEK |
			  QVM_FEATURE_POST;
	qvm_arch_query(query);
	return 0;
}

static long do_create_vm(struct ioctl_call *call, union ioctl_arg *arg)
{
	struct qvm_vm *vm = qvm_vm_create(&arg->create_vm);
	long ret;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	arg->create_vm.id = vm->id;
	ret = new_fd(call, "qvm-vm", &vm_fops, vm);
	if (ret < 0)
		qvm_vm_put(vm);
	return ret;
}

static long do_next_vm(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_vm_next(&arg->next_vm);
}

static long do_stat(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_vm_stat(&arg->stat);
}

static const struct ioctl_row system_ioctls[] = {
	{ QVM_QUERY, 48, LOCK_NONE, do_query },
	{ QVM_CREATE_VM, 56, LOCK_NONE, do_create_vm },
	{ QVM_NEXT_VM, 72, LOCK_NONE, do_next_vm },
	{ QVM_STAT, 688, LOCK_NONE, do_stat },
};

/* ---- VM fd ---- */

static long do_add_region(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_region_add(call->vm, &arg->region);
}

static long do_create_vdev(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_vm_create_vdev(call->vm, &arg->create_vdev);
}

static long do_create_vcpu(struct ioctl_call *call, union ioctl_arg *arg)
{
	struct qvm_vcpu *vcpu;
	long ret;

	if (arg->create_vcpu.flags || arg->create_vcpu.reserved)
		return -EINVAL;
	vcpu = qvm_vcpu_create(call->vm, arg->create_vcpu.index);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);
	ret = new_fd(call, "qvm-vcpu", &vcpu_fops, vcpu);
	if (ret < 0) {
		qvm_vcpu_destroy(vcpu);
		return ret;
	}
	qvm_vm_get(call->vm);
	qvm_vcpu_publish(vcpu);
	return ret;
}

static long do_assemble(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_vm_assemble(call->vm);
}

static long do_set_irq(struct ioctl_call *call, union ioctl_arg *arg)
{
	const struct qvm_irq *irq = &arg->irq;

	if (irq->reserved || irq->level > 1)
		return -EINVAL;
	switch (qvm_vm_state(call->vm)) {
	case QVM_VM_BUILDING:
		return -EAGAIN;
	case QVM_VM_ENDED:
		return -ESHUTDOWN;
	default:
		trace_irq(call->vm->id, irq->line, irq->level);
		return qvm_arch_vm_set_irq(call->vm, irq->line, irq->level);
	}
}

static long do_vm_info(struct ioctl_call *call, union ioctl_arg *arg)
{
	if (arg->vm_info.reserved)
		return -EINVAL;
	qvm_vm_info(call->vm, &arg->vm_info);
	return 0;
}

static long do_vm_end(struct ioctl_call *call, union ioctl_arg *arg)
{
	qvm_vm_end_system(call->vm, NULL, QVM_SYSTEM_STOPPED, 0);
	return 0;
}

static long do_set_policy(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_vm_set_policy(call->vm, &arg->policy);
}

static long do_unclaimed(struct ioctl_call *call, union ioctl_arg *arg)
{
	qvm_unclaimed_get(call->vm, &arg->unclaimed);
	return 0;
}

static long do_doorbell(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_doorbell_set(call->vm, &arg->doorbell);
}

static long do_irqfd(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_irqfd_set(call->vm, &arg->irqfd);
}

static long do_share(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_share_set(call->vm, &arg->share);
}

static long do_region_discard(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_region_discard(call->vm, &arg->discard);
}

static const struct ioctl_row vm_ioctls[] = {
	{ QVM_VM_ADD_REGION, 64, LOCK_VM, do_add_region },
	{ QVM_VM_CREATE_VDEV, 120, LOCK_VM, do_create_vdev },
	{ QVM_VM_CREATE_VCPU, 16, LOCK_VM, do_create_vcpu },
	{ QVM_VM_ASSEMBLE, 0, LOCK_VM, do_assemble },
	{ QVM_VM_SET_IRQ, 16, LOCK_NONE, do_set_irq },
	{ QVM_VM_INFO, 56, LOCK_VM, do_vm_info },
	{ QVM_VM_END, 0, LOCK_NONE, do_vm_end },
	{ QVM_VM_SET_POLICY, 16, LOCK_VM, do_set_policy },
	{ QVM_VM_UNCLAIMED, 656, LOCK_NONE, do_unclaimed },
	{ QVM_VM_DOORBELL, 32, LOCK_VM, do_doorbell },
	{ QVM_VM_IRQFD, 24, LOCK_VM, do_irqfd },
	{ QVM_VM_SHARE, 32, LOCK_VM, do_share },
	{ QVM_VM_REGION_DISCARD, 32, LOCK_VM, do_region_discard },
};

/* ---- vCPU fd ---- */

/* An ioctl, so security modules have let these credentials in. vCPU mutex held. */
static int run_by_ioctl(struct qvm_vcpu *vcpu)
{
	if (unlikely(vcpu->run_cred != current_cred())) {
		put_cred(vcpu->run_cred);
		vcpu->run_cred = get_current_cred();
	}
	return qvm_vcpu_run(vcpu);
}

static long do_run(struct ioctl_call *call, union ioctl_arg *arg)
{
	return run_by_ioctl(call->vcpu);
}

static long do_get_reg(struct ioctl_call *call, union ioctl_arg *arg)
{
	memset(arg->reg.value, 0, sizeof(arg->reg.value));
	return qvm_arch_get_reg(call->vcpu, &arg->reg);
}

static long do_set_reg(struct ioctl_call *call, union ioctl_arg *arg)
{
	return qvm_arch_set_reg(call->vcpu, &arg->reg);
}

static long do_stats(struct ioctl_call *call, union ioctl_arg *arg)
{
	qvm_vcpu_stats_get(call->vcpu, &arg->stats);
	return 0;
}

static long do_trail(struct ioctl_call *call, union ioctl_arg *arg)
{
	qvm_trail_get(call->vcpu, &arg->trail);
	return 0;
}

static const struct ioctl_row vcpu_ioctls[] = {
	{ QVM_VCPU_RUN, 0, LOCK_VCPU, do_run },
	{ QVM_VCPU_GET_REG, 24, LOCK_VCPU, do_get_reg },
	{ QVM_VCPU_SET_REG, 24, LOCK_VCPU, do_set_reg },
	{ QVM_VCPU_STATS, 640, LOCK_NONE, do_stats },
	{ QVM_VCPU_TRAIL, 672, LOCK_NONE, do_trail },
};

static_assert(sizeof(struct qvm_query) == 48);
static_assert(sizeof(struct qvm_create_vm) == 56);
static_assert(sizeof(struct qvm_region) == 64);
static_assert(sizeof(struct qvm_create_vdev) == 120);
static_assert(sizeof(struct qvm_create_vcpu) == 16);
static_assert(sizeof(struct qvm_irq) == 16);
static_assert(sizeof(struct qvm_discard) == 32);
static_assert(sizeof(struct qvm_next_vm) == 72);
static_assert(sizeof(struct qvm_stat) == 1200);
static_assert(sizeof(struct qvm_vm_info) == 80);
static_assert(sizeof(struct qvm_vm_policy) == 32);
static_assert(sizeof(struct qvm_unclaimed) == 656);
static_assert(sizeof(struct qvm_vcpu_trail) == 672);
static_assert(sizeof(struct qvm_doorbell) == 32);
static_assert(sizeof(struct qvm_irqfd) == 24);
static_assert(sizeof(struct qvm_share) == 32);
static_assert(sizeof(struct qvm_reg) == 24);
static_assert(sizeof(struct qvm_vcpu_stats) == 1152);
static_assert(sizeof(struct qvm_run) <= PAGE_SIZE);

/* ---- prologue and epilogue ---- */

static const struct ioctl_row *row_find(const struct ioctl_row *rows, size_t count,
					unsigned int cmd)
{
	size_t i;

	/* The size may differ from ours, the rest of the number may not. */
	for (i = 0; i < count; i++)
		if (!((rows[i].cmd ^ cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT)))
			return &rows[i];
	return NULL;
}

static int call_lock(const struct ioctl_call *call, u8 lock)
{
	switch (lock) {
	case LOCK_VM:
		return mutex_lock_killable(&call->vm->mutex);
	case LOCK_VCPU:
		return mutex_lock_killable(&call->vcpu->mutex);
	default:
		return 0;
	}
}

static void call_unlock(const struct ioctl_call *call, u8 lock)
{
	if (lock == LOCK_VM)
		mutex_unlock(&call->vm->mutex);
	else if (lock == LOCK_VCPU)
		mutex_unlock(&call->vcpu->mutex);
}

static long call_finish(struct ioctl_call *call, long ret)
{
	if (!call->new_file)
		return ret;
	if (ret < 0) {
		put_unused_fd(call->new_fd);
		fput(call->new_file);
	} else {
		fd_install(call->new_fd, call->new_file);
	}
	return ret;
}

/* What a newer caller knows and this module does not is zero. */
static bool copy_out(void __user *uarg, size_t usize, const union ioctl_arg *arg, size_t ksize)
{
	return copy_to_user(uarg, arg, min(ksize, usize)) ||
	       (usize > ksize && clear_user((char __user *)uarg + ksize, usize - ksize));
}

/* A command without an argument. */
static long dispatch_plain(struct ioctl_call *call, const struct ioctl_row *row)
{
	long ret = call_lock(call, row->lock);

	if (ret)
		return ret;
	ret = row->fn(call, NULL);
	call_unlock(call, row->lock);
	return ret;
}

static noinline long dispatch_with_arg(struct ioctl_call *call, const struct ioctl_row *row,
				       unsigned int cmd, void __user *uarg)
{
	size_t ksize = _IOC_SIZE(row->cmd), usize = _IOC_SIZE(cmd);
	union ioctl_arg arg;
	long ret;

	if (usize < row->min_size)
		return -EINVAL;
	memset(&arg, 0, ksize);
	if (_IOC_DIR(cmd) & _IOC_WRITE) {
		ret = copy_struct_from_user(&arg, ksize, uarg, usize);
		if (ret)
			return ret;
	}
	ret = call_lock(call, row->lock);
	if (ret)
		return ret;
	ret = row->fn(call, &arg);
	call_unlock(call, row->lock);
	if (ret >= 0 && (_IOC_DIR(cmd) & _IOC_READ) && copy_out(uarg, usize, &arg, ksize))
		ret = -EFAULT;
	return call_finish(call, ret);
}

static long ioctl_dispatch(struct ioctl_call *call, const struct ioctl_row *row, unsigned int cmd,
			   unsigned long uarg)
{
	if (!row)
		return -ENOTTY;
	if (!_IOC_SIZE(row->cmd))
		return dispatch_plain(call, row);
	return dispatch_with_arg(call, row, cmd, (void __user *)uarg);
}

static long system_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	const struct ioctl_row *row = row_find(system_ioctls, ARRAY_SIZE(system_ioctls), cmd);
	struct ioctl_call call = {};

	return ioctl_dispatch(&call, row, cmd, uarg);
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	const struct ioctl_row *row = row_find(vm_ioctls, ARRAY_SIZE(vm_ioctls), cmd);
	struct ioctl_call call = { .vm = file->private_data };

	if (call.vm->mm != current->mm)
		return -EIO;
	return ioctl_dispatch(&call, row, cmd, uarg);
}

/* The hot one, and nothing to copy. False: as any other, its lock is taken. */
static bool run_at_once(struct qvm_vcpu *vcpu, long *ret)
{
	if (!mutex_trylock(&vcpu->mutex))
		return false;
	*ret = run_by_ioctl(vcpu);
	mutex_unlock(&vcpu->mutex);
	return true;
}

static noinline long vcpu_dispatch(struct qvm_vcpu *vcpu, unsigned int cmd, unsigned long uarg)
{
	const struct ioctl_row *row = row_find(vcpu_ioctls, ARRAY_SIZE(vcpu_ioctls), cmd);
	struct ioctl_call call = { .vm = vcpu->vm, .vcpu = vcpu };

	return ioctl_dispatch(&call, row, cmd, uarg);
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	struct qvm_vcpu *vcpu = file->private_data;
	long ret;

	if (vcpu->vm->mm != current->mm)
		return -EIO;
	if (cmd == QVM_VCPU_RUN && run_at_once(vcpu, &ret))
		return ret;
	return vcpu_dispatch(vcpu, cmd, uarg);
}

/*
 * The way in that costs least: nobody on it looks at what it is for. So only who has been let in by
 * ioctl, with the same credentials.
 */
static loff_t vcpu_llseek(struct file *file, loff_t offset, int whence)
{
	struct qvm_vcpu *vcpu = file->private_data;
	int ret = -EPERM;

	if (offset != QVM_VCPU_RUN || whence != SEEK_SET)
		return noop_llseek(file, offset, whence);
	if (vcpu->vm->mm != current->mm)
		return -EIO;
	if (!mutex_trylock(&vcpu->mutex) && mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	if (likely(vcpu->run_cred == current_cred()))
		ret = qvm_vcpu_run(vcpu);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

static int vm_release(struct inode *inode, struct file *file)
{
	qvm_vm_put(file->private_data);
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct qvm_vcpu *vcpu = file->private_data;

	qvm_vm_put(vcpu->vm);
	return 0;
}

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct qvm_vcpu *vcpu = file->private_data;

	if (vma->vm_pgoff || vma_pages(vma) != 1 || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	qvm_vm_flags_clear(vma, VM_MAYEXEC);
	return vm_insert_page(vma, vma->vm_start, virt_to_page(vcpu->run));
}

const struct file_operations qvm_system_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = system_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.mmap = vcpu_mmap,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = vcpu_llseek,
};
