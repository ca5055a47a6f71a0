/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space. */
#ifndef FAKE_LINUX_STRING_H
#define FAKE_LINUX_STRING_H

#include <string.h>

#include <linux/types.h>

#endif
