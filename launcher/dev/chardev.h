/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's side of a device that speaks bytes: a terminal, a file, a FIFO, stdin and stdout.
 *
 * Output is collected until a newline, a full buffer or a short pause, and then written. Input
 * is read only as far as the device has room, so that nothing typed or piped in is lost.
 */
#ifndef QVM_DEV_CHARDEV_H
#define QVM_DEV_CHARDEV_H

#include "dev/device.h"

/*
 * The device's `hostdev`, one word or two:
 *   "-"      stdin and stdout; raw mode if stdin is a terminal, where Ctrl-] cuts the VM's power
 *   ">-"     stdout only
 *   "<-"     stdin only
 *   path     both; ">path": output only, created or emptied; "<path": input only
 *   |command its stdin (and with "<" before it its stdout instead)
 */

/* The VM ends: from now on drop output of any chardev that the host doesn't take at once. */
void chardev_abandon(void);

#endif
