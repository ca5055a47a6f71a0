/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: nobody has any. */
#ifndef FAKE_LINUX_CRED_H
#define FAKE_LINUX_CRED_H

struct cred;

static inline void put_cred(const struct cred *cred)
{
	(void)cred;
}

#endif
