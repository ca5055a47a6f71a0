/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a test of TLB maintenance has its own TLB. */
