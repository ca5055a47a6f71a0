/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a test that needs registers has its own. */
#ifndef FAKE_ASM_SYSREG_H
#define FAKE_ASM_SYSREG_H

#define sys_reg(op0, op1, crn, crm, op2) \
	((op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)

#endif
