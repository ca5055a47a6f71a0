/* SPDX-License-Identifier: GPL-2.0-only */
/* Stand-in for user space. */
#ifndef FAKE_LINUX_MINMAX_H
#define FAKE_LINUX_MINMAX_H

#define min_t(type, a, b) ({ type mm_a = (a), mm_b = (b); mm_a < mm_b ? mm_a : mm_b; })
#define max_t(type, a, b) ({ type mm_a = (a), mm_b = (b); mm_a > mm_b ? mm_a : mm_b; })
/* both of one type, as the kernel demands; a constant may be an int */
#define min(a, b) min_t(typeof((a) + 0), a, b)
#define max(a, b) max_t(typeof((a) + 0), a, b)
#define clamp(val, low, high) min(max(val, low), high)
#define swap(a, b) do { typeof(a) swap_a = (a); (a) = (b); (b) = swap_a; } while (0)

#endif
