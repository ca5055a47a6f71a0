// SPDX-License-Identifier: GPL-2.0-only
/* qvm: argv → config → machine → boot → vm. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "config/config.h"
#include "config/override.h"
#include "config/qvmconf.h"
#include "config/report.h"
#include "config/schema.h"
#include "config/write.h"
#include "config/yaml.h"
#include "control/client.h"
#include "control/detach.h"
#include "dev/device_host.h"
#include "host.h"
#include "machine/dump.h"
#include "machine/limits.h"
#include "machine/machine.h"
#include "stat.h"
#include "util/alloc.h"
#include "util/log.h"
#include "util/status.h"
#include "vm/vm.h"

#define QVM_VERSION	"0.1"

/* The machine of `qvm run -k KERNEL`: what a kernel needs to say hello on the terminal. */
static const char default_board[] =
	"memory: [{ram: 512M}]\n"
	"cmdline: console=ttyAMA0\n"
	"devices: [{pl011: {hostdev: '-'}}]\n";
static const char default_board_x86[] =
	"memory: [{ram: 512M}]\n"
	"cmdline: console=ttyS0 pci=off\n"
	"devices: [8259: {}, ioapic: {}, timer8254: {}, mc146818: {}, acpi-pm: {}, debug-exit: {},\n"
	"          fw-cfg: {}, ser8250: {hostdev: '-'}, pckeyboard: {}]\n";

static const char usage[] =
	"usage: qvm run [FILE...] [options]   run a VM; several FILEs are parts of one config\n"
	"       qvm check FILE... [options]   check a config and show the board\n"
	"       qvm list                      all VMs of this host\n"
	"       qvm status|stop|kill NAME     ask one; press its power button; cut its power\n"
	"       qvm console NAME              terminal of a VM that was started with --detach\n"
	"       qvm @FILE [words...]          QNX's own call: a qvmconf file, and what one may say\n"
	"       qvm convert FILE... [--to yaml|qvmconf]   write it in the other language\n"
	"       qvm set ?                     variables of qvmconf's `set`\n"
	"       qvm completion bash           for: source <(qvm completion bash)\n"
	"       qvm stat NAME [SECONDS]       exits of a running VM by reason, in all or in SECONDS\n"
	"       qvm host                      can this machine run VMs, and if not, what to do\n"
	"       qvm help | --version\n"
	"\n"
	"  -k, --kernel FILE    kernel: Linux (arm64 Image, plain or gzip; x86 bzImage), ELF, raw\n"
	"  -i, --initrd FILE    RAM disk\n"
	"  -a, --append TEXT    command line of the kernel\n"
	"  -m, --memory SIZE    first RAM, such as 512M\n"
	"  -c, --cpus N         vCPUs, 1 to 64\n"
	"      --set KEY=VALUE  change the config: cpus=4, devices[0].pl011.at=0x9000000,\n"
	"                       devices+='{ns16550: {hostdev: /dev/pts/3}}'\n"
	"      --without DEVICE,...   leave these devices out, by type or name\n"
	"      --detach         return when the guest has started; `qvm console` reaches it\n"
	"      --dry-run        do everything but start\n"
	"  -v, --verbose        say more\n"
	"      --dump-model, --dump-dtb, --report   check: the whole model, the FDT (binary), or what\n"
	"                       of each line is exact, approximated or missing\n"
	"\n"
	"Without FILE, -k starts the default board of this host's architecture: 1 vCPU, 512M, a\n"
	"UART on this terminal.\n"
	"Keys of a config: configs/README.md. Exit status: 0 the guest switched off or was reset,\n"
	"3 power cut, 4 watchdog, 5 unsupported operation, 6 device error, 7 unexpected error, 64 not started, 65 config,\n"
	"96 stopped in a safe state.\n";

enum {
	OPTION_SET = 256,
	OPTION_DETACH,
	OPTION_DRY_RUN,
	OPTION_WITHOUT,
	OPTION_DUMP_MODEL,
	OPTION_DUMP_DTB,
	OPTION_REPORT,
	OPTION_TO,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "kernel",  required_argument, NULL, 'k' },
	{ "initrd",  required_argument, NULL, 'i' },
	{ "append",  required_argument, NULL, 'a' },
	{ "memory",  required_argument, NULL, 'm' },
	{ "cpus",    required_argument, NULL, 'c' },
	{ "set",     required_argument, NULL, OPTION_SET },
	{ "dump-model", no_argument,    NULL, OPTION_DUMP_MODEL },
	{ "dump-dtb", no_argument,      NULL, OPTION_DUMP_DTB },
	{ "report",  no_argument,       NULL, OPTION_REPORT },
	{ "to",      required_argument, NULL, OPTION_TO },
	{ "without", required_argument, NULL, OPTION_WITHOUT },
	{ "detach",  no_argument,       NULL, OPTION_DETACH },
	{ "dry-run", no_argument,       NULL, OPTION_DRY_RUN },
	{ "dryrun",  no_argument,       NULL, OPTION_DRY_RUN },
	{ "verbose", no_argument,       NULL, 'v' },
	{ "help",    no_argument,       NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

/* One option, to be applied once all files are read. */
struct change {
	int option;
	const char *value;
};

struct arguments {
	struct change *changes;
	size_t change_count;
	char **files;
	int file_count;
	int show;		/* of OPTION_DUMP_MODEL …, 0: the board */
	const char *to;		/* language of `convert`, or NULL */
	bool help, detach;
};

/* 0, or -1 (message printed by getopt). */
static int arguments_parse(struct arguments *args, int argc, char **argv)
{
	int option;

	*args = (struct arguments){ .changes = xcalloc(argc, sizeof(struct change)) };
	while ((option = getopt_long(argc, argv, "k:i:a:m:c:v", long_options, NULL)) != -1) {
		switch (option) {
		case '?':
			return -1;
		case 'v':
			log_set_verbose(true);
			break;
		case OPTION_HELP:
			args->help = true;
			break;
		case OPTION_DETACH:
			args->detach = true;
			break;
		case OPTION_DUMP_MODEL:
		case OPTION_DUMP_DTB:
		case OPTION_REPORT:
			args->show = option;
			break;
		case OPTION_TO:
			args->to = optarg;
			break;
		default:
			args->changes[args->change_count++] = (struct change){ option, optarg };
		}
	}
	args->files = argv + optind;	/* getopt has moved them behind the options */
	args->file_count = argc - optind;
	return 0;
}

static void change_apply(struct node *root, const struct change *change)
{
	switch (change->option) {
	case 'k':
		override_entry(root, "load", "kernel", change->value);
		break;
	case 'i':
		override_entry(root, "load", "initrd", change->value);
		break;
	case 'm':
		override_entry(root, "memory", "ram", change->value);
		break;
	case 'a':
		override_put(root, "cmdline", change->value);
		break;
	case 'c':
		override_put(root, "cpus", change->value);
		break;
	case OPTION_WITHOUT:
		override_without(root, change->value);
		break;
	case OPTION_DRY_RUN:
		override_put(root, "dryrun", "true");
		break;
	case OPTION_SET:
		override_set(root, change->value);
		break;
	}
}

/* The architecture that --set says, else that of this host. */
static const char *wanted_arch(const struct arguments *args)
{
	const char *arch = config_arch(NULL);

	for (size_t i = 0; i < args->change_count; i++)
		if (args->changes[i].option == OPTION_SET && !strncmp(args->changes[i].value, "arch=", 5))
			arch = args->changes[i].value + 5;
	return arch;
}

/* All files and options as one tree, or NULL: a file can't be read. Errors are said. */
static struct node *config_read(const struct arguments *args)
{
	struct node *root;

	if (args->file_count)
		root = config_read_files(args->file_count, args->files);
	else
		root = yaml_read_text(strcmp(wanted_arch(args), "x86") ? default_board : default_board_x86,
				      (struct origin){ ORIGIN_BOARD, 0 });
	for (size_t i = 0; root && i < args->change_count; i++)
		change_apply(root, &args->changes[i]);
	return root;
}

/* Everything that can be done without the module. Returns enum status. */
static int machine_prepare(struct machine *m, struct node *root)
{
	config_set_defaults(root);
	schema_validate(root);
	machine_build(m, root);
	boot_prepare(m);
	machine_validate(m);
	return log_error_count() ? STATUS_CONFIG : STATUS_OK;
}

static void start_logging(const struct machine *m)
{
	for (size_t i = 0; i < m->logger_count; i++)
		log_route(m->logger[i].kinds, m->logger[i].target);
	if (m->debug)
		log_set_verbose(true);
}

/* The same model again after a reset, out of the files as they are now. Returns enum status. */
static int machine_remake(struct machine *m, struct node *root)
{
	unsigned int errors = log_error_count();

	log_info("reset: the machine is assembled anew");
	machine_fini(m);
	machine_prepare(m, root);
	return log_error_count() == errors ? STATUS_OK : STATUS_CONFIG;
}

static int machine_run(const struct arguments *args, struct machine *m, struct node *root)
{
	struct limits limits;
	bool again = false;
	int status;

	start_logging(m);
	limits_read(&limits);
	if (limits_check(&limits, m))
		return STATUS_START;
	if (boot_dump_fdt(m))
		return STATUS_START;
	if (m->dryrun) {
		log_info("Exiting: dryrun completed");
		return STATUS_OK;
	}
	if (args && args->detach)
		detach_begin();
	do {
		status = vm_run(m, &again);
		if (again)
			status = machine_remake(m, root);
	} while (again && status == STATUS_OK);
	return status;
}

static int machine_check(const struct arguments *args, struct machine *m, struct node *root)
{
	(void)root;
	if (args->show == OPTION_DUMP_MODEL)
		machine_dump(m, stdout);
	if (args->show == OPTION_DUMP_DTB)
		fwrite(m->fdt_blob, m->fdt_size, 1, stdout);
	if (args->show)
		return fflush(stdout) ? STATUS_START : STATUS_OK;
	for (int i = 0; i < args->file_count; i++)
		printf("%s%s", i ? ", " : "", args->files[i]);
	printf("%s: ok\n", args->file_count ? "" : ORIGIN_BOARD);
	machine_print(m, stdout);
	return STATUS_OK;
}

/* Build the model of @root, which is used up, and do @act with it. Returns enum status. */
static int with_machine(struct node *root, const struct arguments *args,
			int (*act)(const struct arguments *args, struct machine *m, struct node *root))
{
	struct machine machine;
	int status = STATUS_CONFIG;

	if (root) {
		status = machine_prepare(&machine, root);
		if (args && args->show == OPTION_REPORT)
			config_report(stdout, root);
		if (status == STATUS_OK)
			status = act(args, &machine, root);
		machine_fini(&machine);
		node_destroy(root);
	}
	return status;
}

static int with_arguments(int argc, char **argv,
			  int (*act)(const struct arguments *args, struct machine *m, struct node *root))
{
	struct arguments args;
	int status = STATUS_CONFIG;

	if (arguments_parse(&args, argc, argv)) {
		fputs("try `qvm help`\n", stderr);
	} else if (args.help || (!args.file_count && !args.change_count)) {
		fputs(usage, args.help ? stdout : stderr);
		status = args.help ? STATUS_OK : STATUS_CONFIG;
	} else {
		status = with_machine(config_read(&args), &args, act);
	}
	free(args.changes);
	return status;
}

static int command_run(int argc, char **argv)
{
	return with_arguments(argc, argv, machine_run);
}

static int command_check(int argc, char **argv)
{
	return with_arguments(argc, argv, machine_check);
}

/* QNX's own call: `qvm @FILE words…`. */
static int command_words(int argc, char **argv)
{
	return with_machine(config_read_words(argc, argv), NULL, machine_run);
}

/* True: to QNX's language. */
static bool convert_target(const struct arguments *args, const struct node *root)
{
	return args->to ? !strcmp(args->to, "qvmconf") : !root->qvmconf;
}

static int convert(const struct arguments *args)
{
	struct node *root;
	bool qvmconf;

	if (!args->file_count || (args->to && strcmp(args->to, "yaml") && strcmp(args->to, "qvmconf"))) {
		fputs("usage: qvm convert FILE... [--to yaml|qvmconf]\n", stderr);
		return STATUS_CONFIG;
	}
	root = config_read(args);
	if (root && !log_error_count()) {
		qvmconf = convert_target(args, root);
		config_set_defaults(root);
		config_settle_paths(root, qvmconf);
		(qvmconf ? config_write_qvmconf : config_write_yaml)(stdout, root);
	}
	node_destroy(root);
	return log_error_count() ? STATUS_CONFIG : STATUS_OK;
}

static int command_convert(int argc, char **argv)
{
	struct arguments args;
	int status = STATUS_CONFIG;

	if (!arguments_parse(&args, argc, argv))
		status = convert(&args);
	free(args.changes);
	return status;
}

static int command_host(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return host_report();
}

/* Not in the usage: writes configs/README.md and configs/qvm.schema.json. */
static int command_schema(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--markdown")) {
		schema_print_markdown(stdout);
	} else if (argc == 2 && !strcmp(argv[1], "--json")) {
		schema_print_json(stdout);
	} else {
		fputs("usage: qvm schema --markdown|--json\n", stderr);
		return STATUS_CONFIG;
	}
	return STATUS_OK;
}

/* `qvm set ?`; with more words it is the beginning of QNX's own call. */
static int command_set(int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "?"))
		return command_words(argc, argv);
	schema_print_variables(stdout);
	return STATUS_OK;
}

static int command_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fputs(usage, stdout);
	return STATUS_OK;
}

static int command_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("qvm " QVM_VERSION);
	return STATUS_OK;
}

static int command_list(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return client_list();
}

/* `qvm COMMAND NAME` */
static int command_ask(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: qvm %s NAME\n", argv[0]);
		return STATUS_CONFIG;
	}
	return strcmp(argv[0], "console") ? client_ask(argv[0], argv[1]) : client_console(argv[1]);
}

static int command_completion(int argc, char **argv);

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", command_run },
	{ "check", command_check },
	{ "list", command_list },
	{ "status", command_ask },
	{ "stop", command_ask },
	{ "kill", command_ask },
	{ "console", command_ask },
	{ "convert", command_convert },
	{ "set", command_set },
	{ "completion", command_completion },
	{ "host", command_host },
	{ "stat", stat_command },
	{ "schema", command_schema },
	{ "help", command_help },
	{ "--help", command_help },
	{ "-h", command_help },
	{ "--version", command_version },
};

static int command_completion(int argc, char **argv)
{
	char names[512] = "", options[512] = "";
	size_t length = 0;

	if (argc != 2 || strcmp(argv[1], "bash")) {
		fputs("usage: qvm completion bash\n", stderr);
		return STATUS_CONFIG;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		length += snprintf(names + length, sizeof(names) - length, " %s", commands[i].name);
	length = 0;
	for (const struct option *option = long_options; option->name; option++)
		length += snprintf(options + length, sizeof(options) - length, " --%s", option->name);
	schema_print_completion(stdout, names, options);
	return STATUS_OK;
}

int main(int argc, char **argv)
{
	device_guard_init();
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	if (argc > 1 && qvmconf_is_word(argv[1]))
		return command_words(argc - 1, argv + 1);
	if (argc > 1)
		fprintf(stderr, "qvm: unknown command `%s`\n", argv[1]);
	fputs(usage, stderr);
	return STATUS_CONFIG;
}
