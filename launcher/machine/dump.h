/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef QVM_MACHINE_DUMP_H
#define QVM_MACHINE_DUMP_H

#include <stdio.h>

struct machine;

/*
 * The whole model as text, a line for each part, the same for two configs that mean the same:
 * `qvm check --dump-model`.
 */
void machine_dump(const struct machine *m, FILE *out);

#endif
