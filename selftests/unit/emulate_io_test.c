// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port I/O: IN, OUT and the strings of them.
 *
 * LINK: kmod/arch/x86/emulate.c kmod/arch/x86/emulate_result.c kmod/arch/x86/decode.c kmod/arch/x86/compute.c kmod/arch/x86/gwalk.c kmod/arch/x86/move.c kmod/arch/x86/insn_cache.c
 * CFLAGS: -Ikmod/arch/x86 -Iuapi/x86
 */
#include "unit.h"
#include "fake/x86guest/device.h"

static enum exit_action port(u16 number, unsigned int len, bool in, bool string)
{
	struct x86_io io = {
		.port = number, .len = len, .in = in, .string = string, .next_rip = guest.rip + 2,
	};

	return answer(x86_emulate_io(&guest.vcpu, &io));
}

static void check_port(unsigned int n, u16 number, unsigned int len, bool write, u64 data)
{
	check_access(n, number, len, write, data);
	CHECK(dev.log[n].is_port);
}

TEST(in_and_out)
{
	reset(8);
	dev.to_user = true;
	GPR(RAX) = ~0ULL;
	port(0x3f8, 1, true, false);
	CHECK_EQ(GPR(RAX), 0xffffffffffffff11ULL);
	port(0x3f8, 2, true, false);
	CHECK_EQ(GPR(RAX), 0xffffffffffff2211ULL);
	port(0xcfc, 4, true, false);
	CHECK_EQ(GPR(RAX), 0x44332211);
	check_port(2, 0xcfc, 4, false, 0);
	CHECK_EQ(guest.rip, CODE + 6);
	port(0x80, 1, false, false);
	check_port(3, 0x80, 1, true, 0x11);
	port(0xffff, 4, false, false);
	check_port(4, 0xffff, 4, true, 0x44332211);
}

TEST(outs_and_ins)
{
	unsigned int i;

	reset(8);
	memcpy(guest.ram + 0x3000, "hello", 5);
	GPR(RSI) = 0x3000;
	GPR(RCX) = 5;
	INSN(0xf3, 0x6e);
	for (i = 0; i < 5; i++)
		CHECK_EQ(port(0x3f8, 1, false, true), EXIT_RESUME);
	CHECK_EQ(dev.count, 5);
	for (i = 0; i < 5; i++)
		check_port(i, 0x3f8, 1, true, "hello"[i]);
	CHECK_EQ(guest.rip, CODE + 2);
	CHECK_EQ(GPR(RCX), 0);
	CHECK_EQ(GPR(RSI), 0x3005);

	dev.to_user = true;
	GPR(RDI) = DEV;
	INSN(0x6d);				/* insd, into a device */
	port(0x1f0, 4, true, true);
	check_port(5, 0x1f0, 4, false, 0);
	check_access(6, DEV, 4, true, 0x44332211);
	CHECK_EQ(GPR(RDI), DEV + 4);
	CHECK_EQ(guest.rip, CODE + 1);
}

TEST(ins_across_pages_and_its_faults)
{
	reset(8);
	four_levels();
	*pte(0x11000) = 0x30000 | 7;
	GPR(RDI) = 0x10ffe;
	GPR(RCX) = 2;
	INSN(0xf3, 0x6d);
	port(0x1f0, 4, true, true);
	CHECK(!memcmp(guest.ram + 0x10ffe, "\x11\x22", 2));
	CHECK(!memcmp(guest.ram + 0x30000, "\x33\x44", 2));
	CHECK_EQ(guest.rip, CODE);
	*pte(0x11000) = 0;
	port(0x1f0, 4, true, true);
	CHECK_EQ(dev.count, 1);			/* nothing was taken from the port */
	CHECK_EQ(guest.vector, X86_XCPT_PF);
	CHECK_EQ(guest.fault_address, 0x11002);
	CHECK_EQ(GPR(RCX), 1);
}

TEST(changed_code_is_run_again)
{
	reset(8);
	INSN(0x90);
	CHECK_EQ(port(0x1f0, 4, true, true), EXIT_RESUME);
	CHECK_EQ(dev.count, 0);
	CHECK_EQ(guest.rip, CODE);
	CHECK_EQ(guest.vector, -1);
	/* and a port instruction is no access to memory */
	INSN(0x6d);
	mmio(DEV);
	CHECK_EQ(guest.vector, X86_XCPT_UD);
}
