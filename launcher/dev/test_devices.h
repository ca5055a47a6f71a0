/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_DEV_TEST_DEVICES_H
#define QVM_DEV_TEST_DEVICES_H

#include "dev/device.h"

/*
 * For guests that test the machine they run on, at the places where kvm-unit-tests look for them:
 * 24 ports, each the level of the interrupt line of its number;
 */
extern const struct device_type test_lines_type;
/* 4 ports that keep what is written to them; */
extern const struct device_type test_ports_type;
/* 64 KiB of memory, every access to which is one of a device. */
extern const struct device_type test_memory_type;
/* An eventfd that writes of any width to its first byte signal, and that nobody reads; the same at a port. */
extern const struct device_type test_bell_type, test_bell_port_type;

#endif
