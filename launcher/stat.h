/* SPDX-License-Identifier: GPL-2.0-only */
/* `qvm stat NAME [SECONDS]`: what a running VM's exits are. */
#ifndef QVM_STAT_H
#define QVM_STAT_H

/*
 * argv: "stat", the VM's name, and how long to count. On stdout a line a counter, summed over the vCPUs,
 * with the rate if SECONDS are said; then a line for each exit reason that came. From any process that
 * may open the device. Returns an exit status (util/status.h).
 */
int stat_command(int argc, char **argv);

#endif
