/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of each line of a config: `qvm check --report`. */
#ifndef QVM_CONFIG_REPORT_H
#define QVM_CONFIG_REPORT_H

#include <stdio.h>

#include "config/node.h"

/*
 * After schema_validate() and machine_build(): for each line of each file that says something
 * "FILE:LINE: exact", or what is approximated or missing, a line for each. Last a line with
 * how many there were of each.
 */
void config_report(FILE *out, const struct node *root);

#endif
