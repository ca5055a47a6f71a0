/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_MMU_NOTIFIER_H
#define FAKE_LINUX_MMU_NOTIFIER_H

struct mmu_notifier {
	const void *ops;
};

#endif
