/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_UTIL_NOTIFY_H
#define QVM_UTIL_NOTIFY_H

/*
 * Tell a service manager, if one started us ($NOTIFY_SOCKET): lines of sd_notify(3), such as
 * "READY=1". Any thread; what goes wrong is nobody's business.
 */
void notify(const char *lines);

#endif
