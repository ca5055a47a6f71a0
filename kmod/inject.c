// SPDX-License-Identifier: GPL-2.0-only
#include <linux/delay.h>
#include <linux/kernel.h>
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
	[QVM_INJECT_VMCS] = "vmcs",
};

static DEFINE_MUTEX(wanted_mutex);
static char wanted_vm[QVM_NAME_SIZE];		/* wanted_mutex */
static struct qvm_injection wanted = { .cause = QVM_INJECT_COUNT };	/* wanted_mutex; cause read without */

/* "CAUSE [NUMBER [NUMBER]]" */
static int parse(char *text, struct qvm_injection *how)
{
	char *word;
	int i;

	word = strsep(&text, " ");
	how->cause = match_string(causes, QVM_INJECT_COUNT, word);
	for (i = 0; i < ARRAY_SIZE(how->arg) && (word = strsep(&text, " ")); i++)
		if (kstrtou64(word, 0, &how->arg[i]))
			return -EINVAL;
	return (int)how->cause < 0 ? -EINVAL : 0;
}

static int wanted_set(const char *text, const struct kernel_param *param)
{
	const char *colon = strchr(text, ':');
	struct qvm_injection how = {};
	char cause[64] = "";

	if (!colon || colon - text >= sizeof(cause))
		return -EINVAL;
	memcpy(cause, text, colon - text);
	if (parse(cause, &how))
		return -EINVAL;
	mutex_lock(&wanted_mutex);
	strscpy(wanted_vm, colon + 1, sizeof(wanted_vm));
	strim(wanted_vm);
	wanted = how;
	mutex_unlock(&wanted_mutex);
	return 0;
}

static const struct kernel_param_ops wanted_ops = { .set = wanted_set };
module_param_cb(inject, &wanted_ops, NULL, 0200);
MODULE_PARM_DESC(inject, "entry|exit|serror|memory|deaf|vmcs FIELD VALUE:VM: the next exit of this VM meets the error");

static unsigned int entry_delay;
module_param(entry_delay, uint, 0644);
MODULE_PARM_DESC(entry_delay, "microseconds from the last look for kicks to the entry");

void qvm_inject_entry(void)
{
	udelay(READ_ONCE(entry_delay));
}

/* What this VM is to meet, once. */
static struct qvm_injection wanted_take(const struct qvm_vm *vm)
{
	struct qvm_injection how = { .cause = QVM_INJECT_COUNT };

	mutex_lock(&wanted_mutex);
	if (!strcmp(vm->name, wanted_vm)) {
		how = wanted;
		WRITE_ONCE(wanted.cause, QVM_INJECT_COUNT);
	}
	mutex_unlock(&wanted_mutex);
	return how;
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
	struct qvm_injection how;

	if (READ_ONCE(wanted.cause) == QVM_INJECT_COUNT)
		return;
	how = wanted_take(vcpu->vm);
	if (how.cause == QVM_INJECT_DEAF)
		stay(vcpu);
	else if (how.cause != QVM_INJECT_COUNT)
		qvm_arch_inject_exit(vcpu, &how);
}
