/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's folder, /run/qvm/NAME/ or $XDG_RUNTIME_DIR/qvm/NAME/ for who is not root: env.json, the
 * control socket, and the log of a VM that was detached. 0700. The module lets a name be there once:
 * what is found in the folder is of a VM that is gone, and is taken over.
 */
#ifndef QVM_CONTROL_RUNTIME_H
#define QVM_CONTROL_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>

struct vm;

/* "…/qvm/NAME/FILE" into @path. False: no such folder can be (no $XDG_RUNTIME_DIR), or it is too long. */
bool runtime_path(char *path, size_t size, const char *name, const char *file);

/*
 * "…/qvm/.shared/FILE": of what several VMs of this user have, or the folder itself ("").
 */
bool runtime_shared_path(char *path, size_t size, const char *file);

/* Make the folder, empty. 0 or -errno; nothing is printed. */
int runtime_open(const char *name);
/* Remove the socket, and all if the VM's name was made up. */
void runtime_close(const struct vm *vm);

/* Write env.json as the VM is now, at once as a whole. A failure is no more than a debug message. */
void runtime_write_env(struct vm *vm);

#endif
