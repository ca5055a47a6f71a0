/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space. */
#ifndef FAKE_LINUX_BUILD_BUG_H
#define FAKE_LINUX_BUILD_BUG_H

#ifndef static_assert
#define fake_static_assert(expr, text, ...) _Static_assert(expr, text)
#define static_assert(expr, ...) fake_static_assert(expr, ##__VA_ARGS__, #expr)
#endif
#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)
#define BUILD_BUG_ON_ZERO(condition) ((int)sizeof(struct { int : -!!(condition); }))

#endif
