// SPDX-License-Identifier: GPL-2.0-only
#include <linux/delay.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "arch.h"
#include "inject.h"

static const char * const causes[QVM_INJECT_COUNT] = {
	[QVM_INJECT_ENTRY] = "entry",
	[QVM_INJECT_EXIT] = "exit",
	[QVM_INJECT_SERROR] = "serror",
	[QVM_INJECT_MEMORY] = "memory",
	[QVM_INJECT_DEAF] = "deaf",
};

static DEFINE_MUTEX(wanted_mutex);
static char wanted_vm[QVM_NAME_SIZE];		/* wanted_mutex */
static enum qvm_inject wanted = QVM_INJECT_COUNT; /* wanted_mutex; read without */

static int wanted_set(const char *text, const struct kernel_param *param)
{
	const char *colon = strchr(text, ':');
	char cause[16] = "";
	int i;

	if (!colon || colon - text >= sizeof(cause))
		return -EINVAL;
	memcpy(cause, text, colon - text);
	for (i = 0; i < QVM_INJECT_COUNT && strcmp(causes[i], cause); i++)
		;
	if (i == QVM_INJECT_COUNT)
		return -EINVAL;
	mutex_lock(&wanted_mutex);
	strscpy(wanted_vm, colon + 1, sizeof(wanted_vm));
	strim(wanted_vm);
	WRITE_ONCE(wanted, i);
	mutex_unlock(&wanted_mutex);
	return 0;
}

static const struct kernel_param_ops wanted_ops = { .set = wanted_set };
module_param_cb(inject, &wanted_ops, NULL, 0200);
MODULE_PARM_DESC(inject, "entry|exit|serror|memory|deaf:VM: the next exit of this VM meets the error");

/* What this VM is to meet, once. */
static enum qvm_inject wanted_take(const struct qvm_vm *vm)
{
	enum qvm_inject cause = QVM_INJECT_COUNT;

	mutex_lock(&wanted_mutex);
	if (!strcmp(vm->name, wanted_vm)) {
		cause = wanted;
		WRITE_ONCE(wanted, QVM_INJECT_COUNT);
	}
	mutex_unlock(&wanted_mutex);
	return cause;
}

/* As if the guest went on and no interrupt reached it. */
static void stay(struct qvm_vcpu *vcpu)
{
	int i;

	atomic_set(&vcpu->mode, VCPU_IN_GUEST);
	for (i = 0; i < 3000 && qvm_vm_state(vcpu->vm) != QVM_VM_ENDED; i++)
		msleep(10);
	atomic_set(&vcpu->mode, VCPU_OUTSIDE);
}

void qvm_inject_exit(struct qvm_vcpu *vcpu)
{
	enum qvm_inject cause;

	if (READ_ONCE(wanted) == QVM_INJECT_COUNT)
		return;
	cause = wanted_take(vcpu->vm);
	if (cause == QVM_INJECT_DEAF)
		stay(vcpu);
	else if (cause != QVM_INJECT_COUNT)
		qvm_arch_inject_exit(vcpu, cause);
}
