// SPDX-License-Identifier: GPL-2.0-only
/*
 * One instruction as two transfers, either of which may be missing: what it reads, then what it
 * writes. A transfer is made in pieces that no page boundary divides, each RAM, local APIC, or an
 * access that goes out through qvm_exit_access().
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <asm/processor-flags.h>

#include "decode.h"
#include "emulate.h"
#include "emulate_state.h"
#include "guestmem.h"
#include "gwalk.h"
#include "insn_cache.h"
#include "move.h"
#include "operand.h"
#include "x86.h"

#define GUEST_PAGE	4096U
#define IN_PAGE		(GUEST_PAGE - 1ULL)	/* bits of an address */

int x86_emulate_create(struct qvm_vcpu *vcpu)
{
	vcpu->arch.insn = kzalloc(sizeof(*vcpu->arch.insn), GFP_KERNEL_ACCOUNT);
	return vcpu->arch.insn ? x86_insn_cache_create(vcpu) : -ENOMEM;
}

void x86_emulate_destroy(struct qvm_vcpu *vcpu)
{
	x86_insn_cache_destroy(vcpu);
	kfree(vcpu->arch.insn);
	vcpu->arch.insn = NULL;
}

static struct x86_insn_state *start(struct qvm_vcpu *vcpu)
{
	struct x86_insn_state *st = vcpu->arch.insn;

	vcpu->arch.move.insn = NULL;
	*st = (struct x86_insn_state){ .told = st->told };
	return st;
}

/* ---- addresses: false means that a fault has been injected ---- */

static u32 user_access(struct qvm_vcpu *vcpu)
{
	return x86_cpl(vcpu) == 3 ? PFEC_USER : 0;
}

static bool walk(struct qvm_vcpu *vcpu, u64 linear, u32 access, u64 *gpa)
{
	const struct x86_mmio *known = &vcpu->arch.insn->known;
	u32 error;

	/* The CPU has just done this one. */
	if (known->has_gva && !((linear ^ known->gva) & ~IN_PAGE) &&
	    !(access & PFEC_FETCH) && (known->is_write || !(access & PFEC_WRITE))) {
		*gpa = (known->gpa & ~IN_PAGE) | (linear & IN_PAGE);
		return true;
	}
	if (!gwalk(vcpu, linear, access | user_access(vcpu), gpa, &error))
		return true;
	x86_inject_page_fault(vcpu, linear, error);
	return false;
}

static u64 next_page(struct qvm_vcpu *vcpu, u64 linear, unsigned int split)
{
	return x86_code_mode(vcpu) == 8 ? linear + split : (u32)(linear + split);
}

static bool translate(struct qvm_vcpu *vcpu, struct transfer *t, unsigned int seg, u64 offset,
		      bool write)
{
	u32 access = write ? PFEC_WRITE : 0;
	unsigned int vector;
	u64 linear;

	vector = gwalk_linear(vcpu, seg, offset, t->len, write, &linear);
	if (vector) {
		x86_inject_exception(vcpu, vector, 0);
		return false;
	}
	t->split = min_t(u64, t->len, GUEST_PAGE - (linear & IN_PAGE));
	if (!walk(vcpu, linear, access, &t->gpa[0]))
		return false;
	return t->split == t->len ||
	       walk(vcpu, next_page(vcpu, linear, t->split), access, &t->gpa[1]);
}

/* The operand of BT, BTS, BTR, BTC with a register is a string of bits around the address. */
static u64 bit_offset(const struct qvm_vcpu *vcpu, const struct insn *insn)
{
	s64 bit = sign_extend64(read_reg(vcpu, insn), 8 * insn->reg_len - 1);

	return (bit >> (3 + ilog2(insn->mem_len))) * insn->mem_len;
}

static u64 effective_address(const struct qvm_vcpu *vcpu, const struct x86_insn_state *st)
{
	const struct insn *insn = &st->insn;
	u64 address = operand_address(vcpu, insn, st->next_rip);

	if (insn->op == INSN_BIT_TEST && !insn->has_imm)
		address += bit_offset(vcpu, insn);
	return mask_len(address, insn->addr_len);
}

/* CMPS reads both of its operands: what others write is its second source. */
static bool reads_twice(const struct insn *insn)
{
	return insn->op == INSN_CMPS;
}

static bool plan_string(struct qvm_vcpu *vcpu, struct x86_insn_state *st)
{
	const struct insn *insn = &st->insn;
	bool write = insn_writes_memory(insn);
	struct transfer *at_rdi = write || reads_twice(insn) ? &st->dst : &st->src;

	if (insn_uses_rsi(insn)) {
		st->src.len = insn->mem_len;
		if (!translate(vcpu, &st->src, insn_segment(insn),
			       read_gpr(vcpu, GPR_RSI, insn->addr_len), false))
			return false;
	}
	if (insn_uses_rdi(insn)) {
		at_rdi->len = insn->mem_len;
		return translate(vcpu, at_rdi, SEG_ES,
				 read_gpr(vcpu, GPR_RDI, insn->addr_len), write);
	}
	return true;
}

static bool is_stack(const struct insn *insn)
{
	return insn->op == INSN_PUSH || insn->op == INSN_POP;
}

/* The address of a POP by RSP is of RSP behind it (SDM vol. 2, POP). */
static bool plan_stack(struct qvm_vcpu *vcpu, struct x86_insn_state *st)
{
	const struct insn *insn = &st->insn;
	bool push = insn->op == INSN_PUSH;
	u64 address = effective_address(vcpu, st);
	u64 sp = vcpu->arch.regs.gpr[GPR_RSP] - (push ? insn->mem_len : 0);

	if (!push && insn->base == GPR_RSP)
		address = mask_len(address + insn->mem_len, insn->addr_len);
	sp = mask_len(sp, x86_stack_width(vcpu));
	st->src.len = insn->mem_len;
	st->dst.len = insn->mem_len;
	if (push)
		return translate(vcpu, &st->src, insn_segment(insn), address, false) &&
		       translate(vcpu, &st->dst, SEG_SS, sp, true);
	return translate(vcpu, &st->src, SEG_SS, sp, false) &&
	       translate(vcpu, &st->dst, insn_segment(insn), address, true);
}

static bool plan(struct qvm_vcpu *vcpu, struct x86_insn_state *st)
{
	const struct insn *insn = &st->insn;
	struct transfer operand = { .len = insn->mem_len };

	if (insn_is_string(insn))
		return plan_string(vcpu, st);
	if (is_stack(insn))
		return plan_stack(vcpu, st);
	if (!translate(vcpu, &operand, insn_segment(insn), effective_address(vcpu, st),
		       insn_writes_memory(insn)))
		return false;
	if (insn_reads_memory(insn))
		st->src = operand;
	if (insn_writes_memory(insn))
		st->dst = operand;
	return true;
}

/* ---- pieces ---- */

/* What is next: a power of two, in one page. */
static unsigned int piece_len(const struct transfer *t)
{
	return rounddown_pow_of_two((t->done < t->split ? t->split : t->len) - t->done);
}

static u64 piece_gpa(const struct transfer *t)
{
	return t->done < t->split ? t->gpa[0] + t->done : t->gpa[1] + t->done - t->split;
}

static u64 piece_data(const struct transfer *t)
{
	return mask_len(t->data >> (8 * t->done), piece_len(t));
}

static void piece_done(struct transfer *t, bool write, u64 data)
{
	unsigned int len = piece_len(t);

	if (!write)
		t->data |= mask_len(data, len) << (8 * t->done);
	t->done += len;
}

static bool is_memory(const struct qvm_vcpu *vcpu, u64 gpa, bool write)
{
	const struct qvm_mem *mem = qvm_region_find(vcpu->vm, gpa);

	return mem && mem->kind != QVM_REGION_SHARED && (!write || mem->kind == QVM_REGION_RAM);
}

static bool do_memory(struct qvm_vcpu *vcpu, struct transfer *t, bool write)
{
	u64 data = piece_data(t);
	int ret;

	/* both little-endian */
	if (write)
		ret = qvm_guest_write(vcpu->vm, piece_gpa(t), &data, piece_len(t));
	else
		ret = qvm_guest_read(vcpu->vm, piece_gpa(t), &data, piece_len(t));
	if (ret)
		return false;
	piece_done(t, write, data);
	return true;
}

/* Registers are 32 bits wide; of 8 bytes the upper four are between registers. */
static void do_lapic(struct qvm_vcpu *vcpu, struct transfer *t, bool write)
{
	u32 offset = piece_gpa(t) & IN_PAGE;
	u64 data = 0;

	vcpu->stats.mmio_kernel++;
	if (!write)
		data = vlapic_mmio_read(vcpu, offset);
	else if (piece_len(t) >= sizeof(u32))
		vlapic_mmio_write(vcpu, offset, t->data >> (8 * t->done));
	piece_done(t, write, data);
}

static enum exit_action do_access(struct qvm_vcpu *vcpu, struct transfer *t, bool write)
{
	struct x86_insn_state *st = vcpu->arch.insn;
	struct qvm_access access = {
		.gpa = piece_gpa(t), .len = piece_len(t), .is_write = write, .is_port = t->is_port,
	};
	enum exit_action action;

	if (write)
		access.data = piece_data(t);
	st->answered = false;
	st->running = true;
	action = qvm_exit_access(vcpu, &access);
	st->running = false;
	return action;
}

/* All that is left of @t. False: *action ends the run for now. */
static bool do_transfer(struct qvm_vcpu *vcpu, struct transfer *t, bool write,
			enum exit_action *action)
{
	while (t->done < t->len) {
		if (!t->is_port && vlapic_owns(vcpu, piece_gpa(t))) {
			do_lapic(vcpu, t, write);
			continue;
		}
		if (!t->is_port && is_memory(vcpu, piece_gpa(t), write) &&
		    do_memory(vcpu, t, write))
			continue;
		*action = do_access(vcpu, t, write);
		if (!vcpu->arch.insn->answered)
			return false;
	}
	return true;
}

/* ---- the instruction ---- */

/*
 * Between elements of a string: shadows end and TF traps, as between instructions, and what comes now
 * finds RF set (SDM vol. 3 17.3.1.1, 17.3.1.4), so that no breakpoint of the instruction hits again.
 */
static void element_done(struct qvm_vcpu *vcpu)
{
	x86_skip_to(vcpu, x86_get_rip(vcpu));
	x86_set_rflags(vcpu, x86_get_rflags(vcpu) | X86_EFLAGS_RF);
}

static void finish(struct qvm_vcpu *vcpu, struct x86_insn_state *st)
{
	x86_emulate_write(vcpu, st);
	if (!insn_is_string(&st->insn) || x86_emulate_step(vcpu, &st->insn))
		x86_skip_to(vcpu, st->next_rip);
	else
		element_done(vcpu);
}

static enum exit_action run(struct qvm_vcpu *vcpu, struct x86_insn_state *st)
{
	bool twice = reads_twice(&st->insn);
	enum exit_action action;

	if (!do_transfer(vcpu, &st->src, false, &action))
		return action;
	if (twice && !do_transfer(vcpu, &st->dst, false, &action))
		return action;
	if (!st->computed)
		x86_emulate_compute(vcpu, st);
	if (!twice && !do_transfer(vcpu, &st->dst, true, &action))
		return action;
	finish(vcpu, st);
	return EXIT_RESUME;
}

enum exit_action qvm_arch_complete_access(struct qvm_vcpu *vcpu, const struct qvm_access *access,
					  u64 data)
{
	struct x86_insn_state *st = vcpu->arch.insn;
	bool first;

	if (vcpu->arch.move.insn)
		return x86_move_complete(vcpu, access, data);
	first = !access->is_write && st->src.done < st->src.len;
	piece_done(first ? &st->src : &st->dst, access->is_write, data);
	st->answered = true;
	/* called below run(), or from user space's answer */
	return st->running ? EXIT_RESUME : run(vcpu, st);
}

/* ---- its bytes ---- */

/* Append what the page of byte st->count holds of them. */
static bool fetch_page(struct qvm_vcpu *vcpu, struct x86_insn_state *st, u64 linear)
{
	unsigned int len = X86_INSN_MAX - st->count;
	u64 gpa;

	len = min_t(u64, len, GUEST_PAGE - (linear & IN_PAGE));
	if (!walk(vcpu, linear, PFEC_FETCH, &gpa))
		return false;
	/* Code in device memory: no bytes, so no instruction that is known. */
	if (!qvm_guest_read(vcpu->vm, gpa, st->bytes + st->count, len))
		st->count += len;
	return true;
}

static u64 code_address(struct qvm_vcpu *vcpu, unsigned int mode)
{
	struct x86_segment cs;

	if (mode == 8)
		return x86_get_rip(vcpu);
	x86_get_segment(vcpu, SEG_CS, &cs);
	return (u32)(cs.base + x86_get_rip(vcpu));
}

/* TZCNT and LZCNT are BSF and BSR to a processor that doesn't know them (SDM vol. 2). */
static void settle_scan(struct qvm_vcpu *vcpu, struct insn *insn)
{
	struct x86_cpuid id;

	if (insn->op != INSN_SCAN || insn->op2 < SCAN_COUNT_TRAILING)
		return;
	if (insn->op2 == SCAN_COUNT_TRAILING)
		x86_cpuid(vcpu, 7, 0, &id);
	else
		x86_cpuid(vcpu, 0x80000001, 0, &id);
	if (!(insn->op2 == SCAN_COUNT_TRAILING ? id.ebx & BIT(3) : id.ecx & BIT(5)))
		insn->op2 = SCAN_PLAIN(insn->op2);
}

/* 0, -EINVAL, or -EFAULT: a fault has been injected. Each byte is read once. */
static int fetch(struct qvm_vcpu *vcpu, struct x86_insn_state *st)
{
	unsigned int mode = x86_code_mode(vcpu);
	u64 linear = code_address(vcpu, mode);
	int ret;

	if (!fetch_page(vcpu, st, linear))
		return -EFAULT;
	ret = insn_decode(&st->insn, st->bytes, st->count, mode);
	if (ret == -ENODATA && st->count) {
		/* It goes on in the next page, which need not be there if it does not. */
		if (!fetch_page(vcpu, st, next_page(vcpu, linear, st->count)))
			return -EFAULT;
		ret = insn_decode(&st->insn, st->bytes, st->count, mode);
	}
	if (ret)
		return -EINVAL;
	settle_scan(vcpu, &st->insn);
	st->next_rip = x86_get_rip(vcpu) + st->insn.length;
	if (mode == 8)
		x86_insn_cache_add(vcpu, linear, st->bytes, &st->insn);
	else
		st->next_rip = (u32)st->next_rip;
	return 0;
}

static enum exit_action unknown(struct qvm_vcpu *vcpu, struct x86_insn_state *st)
{
	u64 rip = x86_get_rip(vcpu);

	if (!st->told)
		pr_warn("qvm: %s: vCPU %u: at 0x%llx an access by an instruction that is not known, to 0x%llx: %*ph\n",
			vcpu->vm->name, vcpu->index, rip, st->known.gpa, st->count, st->bytes);
	st->told = true;
	/* Nobody knows where the next one is, so IGNORE has no meaning here. */
	if (vcpu->vm->policy.instruction == QVM_POLICY_ABORT)
		return x86_fatal(vcpu, QVM_FATAL_POLICY, 0, 0, st->known.gpa);
	x86_inject_exception(vcpu, X86_XCPT_UD, -1);
	return EXIT_RESUME;
}

/* ---- entry points ---- */

static bool transfer_is_memory(const struct qvm_vcpu *vcpu, const struct transfer *t, bool write)
{
	if (!t->len)
		return true;
	return is_memory(vcpu, t->gpa[0], write) &&
	       (t->split == t->len || is_memory(vcpu, t->gpa[1], write));
}

/*
 * The bytes may have changed since the CPU read them, into an access that it makes by itself: and
 * of a locked one it has to.
 */
static bool is_for_hardware(const struct qvm_vcpu *vcpu, const struct x86_insn_state *st)
{
	return st->known.has_gva && transfer_is_memory(vcpu, &st->src, false) &&
	       transfer_is_memory(vcpu, &st->dst, !reads_twice(&st->insn));
}

static bool has_no_element(const struct qvm_vcpu *vcpu, const struct insn *insn)
{
	return insn->rep && !read_gpr(vcpu, GPR_RCX, insn->addr_len);
}

static enum exit_action execute(struct qvm_vcpu *vcpu, struct x86_insn_state *st)
{
	if (has_no_element(vcpu, &st->insn)) {
		x86_skip_to(vcpu, st->next_rip);
		return EXIT_RESUME;
	}
	if (!plan(vcpu, st) || is_for_hardware(vcpu, st))
		return EXIT_RESUME;
	return run(vcpu, st);
}

enum exit_action x86_emulate_mmio(struct qvm_vcpu *vcpu, const struct x86_mmio *mmio)
{
	struct x86_insn_state *st = start(vcpu);
	int ret;

	st->known = *mmio;
	ret = fetch(vcpu, st);
	if (ret == -EFAULT)
		return EXIT_RESUME;
	if (ret || st->insn.op == INSN_INS || st->insn.op == INSN_OUTS)
		return unknown(vcpu, st);
	return execute(vcpu, st);
}

static enum exit_action io_string(struct qvm_vcpu *vcpu, struct x86_insn_state *st,
				  const struct x86_io *io)
{
	if (fetch(vcpu, st))
		return EXIT_RESUME;
	/* Not what the CPU executed: let it see what is there now. */
	if (st->insn.op != (io->in ? INSN_INS : INSN_OUTS) || st->insn.mem_len != io->len)
		return EXIT_RESUME;
	return execute(vcpu, st);
}

enum exit_action x86_emulate_io(struct qvm_vcpu *vcpu, const struct x86_io *io)
{
	struct x86_insn_state *st;
	struct transfer *port;

	if (!io->string)
		return x86_move(vcpu, x86_move_io(vcpu, io->port, io->len, io->in, &vcpu->mmio),
				&vcpu->mmio, io->next_rip);
	st = start(vcpu);
	port = io->in ? &st->src : &st->dst;
	*port = (struct transfer){
		.gpa[0] = io->port, .len = io->len, .split = io->len, .is_port = true,
	};
	return io_string(vcpu, st, io);
}
