/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_DEBUG_EXIT_H
#define QVM_DEV_DEBUG_EXIT_H

#include "dev/device.h"

/*
 * One port; a byte or more written to it ends the VM, and qvm with exit status (value << 1) | 1:
 * the convention of QEMU's isa-debug-exit, which kvm-unit-tests use.
 */
extern const struct device_type debug_exit_type;

#endif
