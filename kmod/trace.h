/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM qvm

#if !defined(QVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define QVM_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(entry,
	TP_PROTO(u32 vm, u32 vcpu, u64 pc),
	TP_ARGS(vm, vcpu, pc),
	TP_STRUCT__entry(__field(u32, vm) __field(u32, vcpu) __field(u64, pc)),
	TP_fast_assign(__entry->vm = vm; __entry->vcpu = vcpu; __entry->pc = pc;),
	TP_printk("vm=%u vcpu=%u pc=0x%llx", __entry->vm, __entry->vcpu, __entry->pc)
);

/* code, reason and syndrome as the architecture has them (arm64: enum arm64_exit, ESR.EC, ESR). */
TRACE_EVENT(exit,
	TP_PROTO(u32 vm, u32 vcpu, u32 code, u32 reason, u64 syndrome, u64 pc),
	TP_ARGS(vm, vcpu, code, reason, syndrome, pc),
	TP_STRUCT__entry(__field(u32, vm) __field(u32, vcpu) __field(u32, code)
			 __field(u32, reason) __field(u64, syndrome) __field(u64, pc)),
	TP_fast_assign(__entry->vm = vm; __entry->vcpu = vcpu; __entry->code = code;
		       __entry->reason = reason; __entry->syndrome = syndrome; __entry->pc = pc;),
	TP_printk("vm=%u vcpu=%u code=%u reason=0x%x syndrome=0x%llx pc=0x%llx", __entry->vm,
		  __entry->vcpu, __entry->code, __entry->reason, __entry->syndrome, __entry->pc)
);

TRACE_EVENT(mmio,
	TP_PROTO(u32 vm, u32 vcpu, u64 gpa, u32 len, bool write, bool user),
	TP_ARGS(vm, vcpu, gpa, len, write, user),
	TP_STRUCT__entry(__field(u32, vm) __field(u32, vcpu) __field(u64, gpa)
			 __field(u32, len) __field(bool, write) __field(bool, user)),
	TP_fast_assign(__entry->vm = vm; __entry->vcpu = vcpu; __entry->gpa = gpa;
		       __entry->len = len; __entry->write = write; __entry->user = user;),
	TP_printk("vm=%u vcpu=%u gpa=0x%llx len=%u %s %s", __entry->vm, __entry->vcpu, __entry->gpa,
		  __entry->len, __entry->write ? "write" : "read",
		  __entry->user ? "user" : "kernel")
);

TRACE_EVENT(irq,
	TP_PROTO(u32 vm, u32 line, bool level),
	TP_ARGS(vm, line, level),
	TP_STRUCT__entry(__field(u32, vm) __field(u32, line) __field(bool, level)),
	TP_fast_assign(__entry->vm = vm; __entry->line = line; __entry->level = level;),
	TP_printk("vm=%u line=%u level=%u", __entry->vm, __entry->line, __entry->level)
);

/* state: enum qvm_vm_state; reason and event: as in struct qvm_vm_info, once it has ended. */
TRACE_EVENT(state,
	TP_PROTO(u32 vm, const char *name, u32 state, u32 reason, u32 event),
	TP_ARGS(vm, name, state, reason, event),
	TP_STRUCT__entry(__field(u32, vm) __array(char, name, QVM_NAME_SIZE) __field(u32, state)
			 __field(u32, reason) __field(u32, event)),
	TP_fast_assign(__entry->vm = vm; memcpy(__entry->name, name, QVM_NAME_SIZE);
		       __entry->state = state; __entry->reason = reason;
		       __entry->event = event;),
	TP_printk("vm=%u name=%s %s reason=%u event=%u", __entry->vm, __entry->name,
		  __print_symbolic(__entry->state, { 1, "assembled" }, { 2, "started" },
				   { 3, "ended" }),
		  __entry->reason, __entry->event)
);

#endif /* QVM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
