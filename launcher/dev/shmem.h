/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that VMs share by name, with doorbells: the guest_shm device of the QNX hypervisor. */
#ifndef QVM_DEV_SHMEM_H
#define QVM_DEV_SHMEM_H

#include "dev/device.h"

extern const struct device_type shmem_type;

#endif
