/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: a test that needs threads has its own. */
