/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space: sizes of tests do not overflow. */
#ifndef FAKE_LINUX_OVERFLOW_H
#define FAKE_LINUX_OVERFLOW_H

#define struct_size(p, member, count)	(sizeof(*(p)) + sizeof((p)->member[0]) * (count))
#define check_mul_overflow(a, b, out)	__builtin_mul_overflow(a, b, out)

#endif
