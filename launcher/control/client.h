/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands about VMs that run. All return an exit status; errors are printed. */
#ifndef QVM_CONTROL_CLIENT_H
#define QVM_CONTROL_CLIENT_H

/* `qvm list`: every VM that the module has. */
int client_list(void);
/* `qvm status|stop|kill NAME` */
int client_ask(const char *command, const char *name);
/* `qvm console NAME`: this terminal is the VM's until Ctrl-] or its end. */
int client_console(const char *name);

#endif
