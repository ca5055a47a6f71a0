/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: vtimer_test.c has what is used of it. */
