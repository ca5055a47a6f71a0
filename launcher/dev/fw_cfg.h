/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_FW_CFG_H
#define QVM_DEV_FW_CFG_H

#include "dev/device.h"

/*
 * The firmware configuration of QEMU's PCs (docs/specs/fw_cfg.rst there), without files and DMA: a
 * selector of 16 bits, and behind it a port that gives the item byte by byte. Guests without an ACPI
 * parser learn from it how many CPUs and how much memory there are.
 */
extern const struct device_type fw_cfg_type;

#endif
