/* SPDX-License-Identifier: GPL-2.0-only */
/* `qvm host`: can this machine run VMs. */
#ifndef QVM_HOST_H
#define QVM_HOST_H

#include <stdbool.h>

/*
 * Print on stdout what this machine has and lacks, a line each with what to type, and last
 * "can run: yes" or "can run: no, use make demo". Changes nothing; needs neither root nor the
 * module. Returns 0 for yes, 1 for no.
 */
int host_report(void);

/* The same of another machine: its /proc, /sys and /dev are below @files; uname and CPUID say the rest. */
int host_report_of(const char *files, const char *machine, const char *release, bool cpuid_vmx);

#endif
