// SPDX-License-Identifier: GPL-2.0-only
/* The words of qvmconf that are more than an option and its value. */
#include <stdlib.h>
#include <string.h>

#include "config/nearest.h"
#include "config/override.h"
#include "config/qvmconf.h"
#include "config/qvmconf_read.h"
#include "config/schema_table.h"
#include "config/subst.h"
#include "config/value.h"
#include "dev/device_host.h"
#include "dev/load.h"
#include "util/alloc.h"

/* ---- memory and files ---- */

/* A new map at the end of the list @key of the root. */
static struct node *append_entry(struct qvmconf *q, const char *key, const struct origin *origin)
{
	struct node *list = value_section(q->root, key, NODE_LIST, origin);
	struct node *entry = node_create(NODE_MAP, *origin);

	entry->qvmconf = true;
	node_add(list, entry, NULL);
	return entry;
}

/* `ram $env{WHERE}`, where one text stands for both address and size, is as if they were said. */
static void expand_pair(struct token *arg)
{
	bool bad = false;
	char *text;

	if (strchr(arg->text, ',') || !subst_is_in(arg->text))
		return;
	text = subst_text(arg->text, NULL, &bad);
	if (!bad && strchr(text, ',')) {
		free(arg->text);
		arg->text = text;
	} else {
		free(text);
	}
}

/* `ram 1m,1023m`, with an address before the size or without. */
static void read_memory(struct qvmconf *q, const struct token *word, struct token *arg)
{
	struct node *entry = append_entry(q, "memory", &word->origin);
	char *rest, *first;

	expand_pair(arg);
	rest = arg->text;
	first = piece_cut(&rest);
	value_put(entry, word->text,
		  value_create(rest ? rest : first, SCHEMA_SIZE, &word->origin));
	if (rest)
		value_put(entry, "at", value_create(first, SCHEMA_ADDRESS, &word->origin));
}

/* Of the memory before it: `ram` is no context, an open one stays open behind it. */
static void read_lazy(struct qvmconf *q, const struct token *word, struct token *arg)
{
	const struct node *list = node_find(q->root, "memory");
	struct node *last = list ? list->child : NULL;
	char yes[] = "true";

	(void)arg;
	while (last && last->next)
		last = last->next;
	if (last) {
		option_put(last, schema_find("memory[].lazy"), yes, &word->origin);
		return;
	}
	log_at(&word->origin, word->text, "no memory is there yet, it belongs behind `ram`");
	q->root->bad = true;
}

/* Cut "ADDRESS," off; NULL if the text does not begin with that. */
static char *cut_address(char **text, const struct origin *origin)
{
	char *rest = *text, *first, *address = xstrdup(*text), *at = address;
	struct node *map = node_create(NODE_MAP, *origin), *value;
	uint64_t number;
	bool is_address;

	first = piece_cut(&at);
	value = value_create(subst_is_in(first) ? "0" : first, SCHEMA_ADDRESS, origin);
	value_put(map, "at", value);
	is_address = at && value_number(value->text, &number);
	node_destroy(map);
	free(address);
	if (!is_address)
		return NULL;
	first = piece_cut(&rest);
	*text = rest;
	return first;
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);

	return length >= tail && !strcmp(text + length - tail, suffix);
}

/* The first file without a type is what starts, unless its name says otherwise. */
static const char *load_key(struct qvmconf *q, const char *path)
{
	if (q->blob)
		return q->blob;
	if (q->loaded || has_suffix(path, ".dtb") || has_suffix(path, ".dtbo"))
		return "file";
	q->loaded = true;
	return "kernel";
}

static void read_load(struct qvmconf *q, const struct token *word, struct token *arg)
{
	struct node *entry = append_entry(q, "load", &word->origin);
	char *path = arg->text, *address = cut_address(&path, &word->origin);

	value_put(entry, load_key(q, path), value_create(path, SCHEMA_PATH, &word->origin));
	if (address)
		value_put(entry, "at", value_create(address, SCHEMA_ADDRESS, &word->origin));
	free(q->blob);
	q->blob = NULL;
}

/* `initrd`: what the next `load` loads. */
static void read_blob(struct qvmconf *q, const struct token *word, struct token *arg)
{
	(void)arg;
	q->blob = xstrdup(word->text);
}

/* ---- contexts ---- */

static void open_context(struct qvmconf *q, enum context context, struct node *node)
{
	q->context = context;
	q->node = node;
	q->unknown_device = false;
}

static void read_cpu(struct qvmconf *q, const struct token *word, struct token *arg)
{
	(void)arg;
	open_context(q, CONTEXT_CPU, append_entry(q, "cpus", &word->origin));
}

static void read_pass(struct qvmconf *q, const struct token *word, struct token *arg)
{
	struct node *entry = append_entry(q, "pass", &word->origin);

	(void)arg;
	if (q->blob)
		value_put(entry, "blob", value_create(q->blob, SCHEMA_STRING, &word->origin));
	free(q->blob);
	q->blob = NULL;
	open_context(q, CONTEXT_PASS, entry);
}

static void read_reserve(struct qvmconf *q, const struct token *word, struct token *arg)
{
	(void)arg;
	value_section(q->root, "reserve", NODE_LIST, &word->origin);
	open_context(q, CONTEXT_RESERVE, NULL);
}

static const struct {
	const char *word, *type;
} device_words[] = {
	{ "wdt-sp805", "sp805" },
	{ "wdt-ib700", "ib700" },
};

char *qvmconf_device_type(const char *word)
{
	const char *start = word;
	size_t length;

	if (strchr(word, '/'))
		return xstrdup(word);		/* a file */
	if (!strncmp(start, "vdev-", 5))
		start += 5;
	length = strlen(start);
	if (has_suffix(start, ".so") && length > 3)
		length -= 3;
	for (size_t i = 0; i < sizeof(device_words) / sizeof(device_words[0]); i++)
		if (strlen(device_words[i].word) == length &&
		    !strncmp(start, device_words[i].word, length))
			return xstrdup(device_words[i].type);
	return xasprintf("%.*s", (int)length, start);
}

const char *qvmconf_device_word(const char *type)
{
	for (size_t i = 0; i < sizeof(device_words) / sizeof(device_words[0]); i++)
		if (!strcmp(device_words[i].type, type))
			return device_words[i].word;
	return type;
}

static bool is_known_device(const char *type)
{
	const struct schema_key *row;
	char *path = xasprintf("devices[].%s", type);

	row = strpbrk(type, ".[*") ? NULL : schema_find(path);
	free(path);
	return row || device_type_find(type);
}

static void read_vdev(struct qvmconf *q, const struct token *word, struct token *arg)
{
	char *type = qvmconf_device_type(arg->text);
	struct node *entry, *device;

	if (!strcmp(type, "gic")) {
		open_context(q, CONTEXT_GIC, value_section(q->root, "gic", NODE_MAP, &word->origin));
	} else {
		entry = append_entry(q, "devices", &word->origin);
		device = node_create(NODE_MAP, word->origin);
		device->qvmconf = true;
		node_add(entry, device, *type ? type : NODE_NO_KEY);
		open_context(q, CONTEXT_VDEV, device);
		q->unknown_device = !is_known_device(type) && !device_load(device);
	}
	if (!*type) {
		node_error(q->node, "a device without a name, write for example `vdev pl011`");
		q->root->bad = true;
	}
	free(type);
}

/* ---- options whose meaning depends on the context ---- */

static void say_no_context(struct qvmconf *q, const struct token *word)
{
	log_at(&word->origin, word->text, "no option here, it belongs behind `vdev`, `pass` or "
	       "`reserve`");
	q->root->bad = true;
}

/* "mem:…" without "mem:"; NULL: the text does not begin with @prefix. */
static char *without_prefix(char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

static void put_text(struct node *map, const char *key, const char *text,
		     const struct origin *origin)
{
	value_put(map, key, value_create(text, SCHEMA_STRING, origin));
}

/* `loc 0x2f8,8`: the length is the device's own. */
static void check_length(struct node *device, struct node *at, const char *length)
{
	const struct device_type *type = device_type_find(device->key);
	uint64_t size;

	if (type && (!value_number(length, &size) || size != type->size))
		node_warn(at, "its length is 0x%llx, not %s", (unsigned long long)type->size, length);
}

/* Of x86, and at a port where the kind of the place is not said; on arm64 there are none. */
static bool is_port_device(const char *type, const char *address)
{
	const struct device_type *known = device_type_find(type);

	return known && known->flags & DEVICE_F_PORT && strtoull(address, NULL, 16) <= 0xffff;
}

/* Ports are hexadecimal if nothing says so, too. */
static const char *port_prefix(const char *text)
{
	bool is_number = text[0] == '0' && text[1] && strchr("xXdD", text[1]);

	return is_number || text[0] == '$' ? "" : "0x";
}

static void put_ports(struct node *entry, const char *port, const char *count,
		      const struct origin *origin)
{
	char *text = xasprintf("%s%s%s%s", port_prefix(port), port, count ? "," : "", count ? count : "");

	put_text(entry, "io", text, origin);
	free(text);
}

/* 3f8 and 0x3f8 are io:0x3f8. */
static struct node *create_port(const char *text, const struct origin *origin)
{
	char *port = xasprintf("io:%s%s", port_prefix(text), text);
	struct node *node = value_create(port, SCHEMA_STRING, origin);

	free(port);
	return node;
}

static void read_loc_vdev(struct node *device, const struct token *word, char *text)
{
	char *port = without_prefix(text, "io:"), *slot = without_prefix(text, "pci:");
	char *memory = without_prefix(text, "mem:"), *rest, *address;
	struct node *at;

	if (slot) {
		put_text(device, "pci", slot, &word->origin);
		return;
	}
	rest = port ? port : memory ? memory : text;
	address = piece_cut(&rest);
	if (port || (!memory && is_port_device(device->key, address)))
		at = create_port(address, &word->origin);
	else
		at = value_create(address, SCHEMA_ADDRESS, &word->origin);
	value_put(device, "at", at);
	if (rest)
		check_length(device, at, rest);
}

static void read_loc_reserve(struct qvmconf *q, const struct token *word, char *text)
{
	struct node *entry = append_entry(q, "reserve", &word->origin);
	char *port = without_prefix(text, "io:"), *slot = without_prefix(text, "pci:");
	char *rest = without_prefix(text, "mem:"), *address;

	if (slot) {
		put_text(entry, "pci", slot, &word->origin);
		return;
	}
	rest = port ? port : rest ? rest : text;
	address = piece_cut(&rest);
	if (port) {
		put_ports(entry, address, rest, &word->origin);
		return;
	}
	value_put(entry, "at", value_create(address, SCHEMA_ADDRESS, &word->origin));
	if (rest)
		value_put(entry, "size", value_create(rest, SCHEMA_SIZE, &word->origin));
	else
		node_error(entry, "a place needs its length, write loc %s,LENGTH", address);
}

static void read_loc(struct qvmconf *q, const struct token *word, struct token *arg)
{
	struct node *list;

	switch (q->context) {
	case CONTEXT_VDEV:
		read_loc_vdev(q->node, word, arg->text);
		break;
	case CONTEXT_GIC:
		value_put(q->node, "gicd", value_create(arg->text, SCHEMA_ADDRESS, &word->origin));
		break;
	case CONTEXT_PASS:
		list = value_section(q->node, "loc", NODE_LIST, &word->origin);
		value_append(list, value_create_place(arg->text, &word->origin));
		break;
	case CONTEXT_RESERVE:
		expand_pair(arg);
		read_loc_reserve(q, word, arg->text);
		break;
	default:
		say_no_context(q, word);
	}
}

/* The controller whose name stands before the colon, if this config calls one so, or NULL. */
static const struct pic *find_pic(const struct qvmconf *q, const char *text)
{
	size_t length = strcspn(text, ":");

	for (size_t i = 0; text[length] && i < q->pic_count; i++)
		if (strlen(q->pics[i].name) == length && !strncmp(q->pics[i].name, text, length))
			return &q->pics[i];
	return NULL;
}

/* Line 2 of the second 8259 is line 10 of the board. */
static char *pic_line(const struct pic *pic, const char *number)
{
	uint64_t line;

	if (pic->first && value_number(number, &line) && line < pic->first)
		return xasprintf("ioapic:%u", pic->first + (unsigned int)line);
	return xasprintf("ioapic:%s", number);
}

/* "foo:37" after `vdev gic name foo` is gic:37, "foo:4" after `vdev ioapic name foo` ioapic:4. */
static struct node *create_line(const struct qvmconf *q, const char *text,
				const struct origin *origin)
{
	const struct pic *pic = find_pic(q, text);
	size_t gic = strlen(q->gic);
	char *line;
	struct node *node;

	if (pic)
		line = pic_line(pic, strchr(text, ':') + 1);
	else if (!strncmp(text, q->gic, gic) && text[gic] == ':')
		line = xasprintf("gic%s", text + gic);
	else
		line = xstrdup(text);
	node = value_create(line, SCHEMA_IRQ, origin);
	free(line);
	return node;
}

/*
 * Where the interrupts of a controller go is settled by the board: `intr apic` of an I/O APIC, `intr cpu:irq`
 * of the first 8259, `intr NAME:2` of the second say nothing else.
 */
static bool is_usual_output(const struct qvmconf *q, const char *type, const char *text)
{
	if (!strcmp(type, "ioapic"))
		return !strcmp(text, "apic");
	return !strcmp(type, "8259") && (!strcmp(text, "apic") || !strcmp(text, "cpu:irq") ||
					 (find_pic(q, text) && !strcmp(strchr(text, ':'), ":2")));
}

static void read_intr(struct qvmconf *q, const struct token *word, struct token *arg)
{
	struct node *line;

	if (q->context == CONTEXT_VDEV && is_usual_output(q, q->node->key, arg->text))
		return;
	line = create_line(q, arg->text, &word->origin);
	switch (q->context) {
	case CONTEXT_VDEV:
		value_put(q->node, "irq", line);
		break;
	case CONTEXT_PASS:
		value_append(value_section(q->node, "irq", NODE_LIST, &word->origin), line);
		break;
	case CONTEXT_RESERVE:
		value_put(append_entry(q, "reserve", &word->origin), "irq", line);
		break;
	default:
		node_destroy(line);
		say_no_context(q, word);
	}
}

/* All count their lines alike, but that the second 8259 begins at 8. */
static void add_pic(struct qvmconf *q, const char *type, const char *name)
{
	unsigned int before = 0;

	for (const struct node *entry = node_find(q->root, "devices")->child; entry; entry = entry->next)
		before += entry->child && entry->child != q->node && !strcmp(entry->child->key, "8259");
	q->pics = xreallocarray(q->pics, q->pic_count + 1, sizeof(*q->pics));
	q->pics[q->pic_count++] = (struct pic){
		.name = xstrdup(name), .first = before && !strcmp(type, "8259") ? 8 : 0,
	};
}

/* Of the GIC it is the word before the colon of `intr`, and no more. */
static void read_name(struct qvmconf *q, const struct token *word, struct token *arg)
{
	if (q->context == CONTEXT_VDEV &&
	    (!strcmp(q->node->key, "ioapic") || !strcmp(q->node->key, "8259")))
		add_pic(q, q->node->key, arg->text);
	if (q->context == CONTEXT_GIC) {
		free(q->gic);
		q->gic = xstrdup(arg->text);
	} else if (q->context == CONTEXT_VDEV) {
		value_put(q->node, "name", value_create(arg->text, SCHEMA_NAME, &word->origin));
	} else {
		say_no_context(q, word);
	}
}

/* ---- words with two arguments ---- */

static void read_unsupported(struct qvmconf *q, const struct token *word, struct token *arg)
{
	const struct schema_key *row = schema_find_word(arg[0].text, "unsupported");

	if (row) {
		option_put(value_section(q->root, "unsupported", NODE_MAP, &word->origin), row,
			   arg[1].text, &word->origin);
		return;
	}
	log_at(&word->origin, word->text, "\"%s\" won't do, write instruction, reference or register",
	       arg[0].text);
	q->root->bad = true;
}

static void read_logger(struct qvmconf *q, const struct token *word, struct token *arg)
{
	struct node *entry = append_entry(q, "logger", &word->origin);

	option_put(entry, schema_find("logger[].filter"), arg[0].text, &word->origin);
	value_put(entry, "to", value_create(arg[1].text, SCHEMA_ENUM, &word->origin));
}

static void read_log(struct qvmconf *q, const struct token *word, struct token *arg)
{
	char *both = xasprintf("%s %s", arg[0].text, arg[1].text);

	if (q->context == CONTEXT_VDEV)
		option_put(q->node, schema_find("devices[].*.log"), both, &word->origin);
	else
		say_no_context(q, word);
	free(both);
}

static void say_unknown_variable(struct qvmconf *q, const struct token *word, const char *name)
{
	struct nearest nearest = { .wanted = name };

	for (size_t i = 0; schema_key_at(i); i++) {
		const char *text = schema_key_at(i)->qvmconf;
		size_t length = text ? strcspn(text, " ") : 0;

		if (text && (!strcmp(text + length, " set") || !strcmp(text + length, " set-vdev")))
			nearest_try(&nearest, text, length);
	}
	log_at(&word->origin, word->text, "there is no variable %s, did you mean `%s`? `qvm set ?` "
	       "lists them", name, nearest.word);
	q->root->bad = true;
}

/* Rows of variables of the whole VM: "set.NAME", or another section's key. */
static void set_global(struct qvmconf *q, const struct token *word, const struct schema_key *row,
		       char *value)
{
	char *section = xasprintf("%.*s", (int)(strchr(row->path, '.') - row->path), row->path);

	option_put(value_section(q->root, section, NODE_MAP, &word->origin), row, value,
		   &word->origin);
	free(section);
}

static void read_set(struct qvmconf *q, const struct token *word, struct token *arg)
{
	const struct schema_key *global = schema_find_word(arg[0].text, "set");
	const struct schema_key *of_vdev = schema_find_word(arg[0].text, "set-vdev");

	if (!strncmp(arg[0].text, "qvm.", 4)) {
		if (override_put_path(q->root, arg[0].text + 4, arg[1].text, &word->origin))
			q->root->bad = true;
		open_context(q, CONTEXT_NONE, NULL);	/* its map may have been replaced */
	} else if (global) {
		set_global(q, word, global, arg[1].text);
	} else if (of_vdev && q->context == CONTEXT_VDEV) {
		option_put(q->node, of_vdev, arg[1].text, &word->origin);
	} else if (of_vdev) {
		log_at(&word->origin, word->text, "%s is a variable of one device, it belongs behind "
		       "its `vdev`", arg[0].text);
		q->root->bad = true;
	} else {
		say_unknown_variable(q, word, arg[0].text);
	}
}

const struct word words[] = {
	{ "ram", 1, false, read_memory, "ram 512M or ram 0x40000000,512M" },
	{ "rom", 1, false, read_memory, "rom 64K or rom 0,64K" },
	{ "lazy", 0, false, read_lazy, NULL },
	{ "cpu", 0, true, read_cpu, NULL },
	{ "load", 1, false, read_load, "load FILE" },
	{ "acpi", 0, false, read_blob, NULL },
	{ "data", 0, false, read_blob, NULL },
	{ "fdt", 0, false, read_blob, NULL },
	{ "guest", 0, false, read_blob, NULL },
	{ "initrd", 0, false, read_blob, NULL },
	{ "pass", 0, true, read_pass, NULL },
	{ "reserve", 0, true, read_reserve, NULL },
	{ "vdev", 1, true, read_vdev, "vdev pl011" },
	{ "loc", 1, false, read_loc, "loc 0x1c090000" },
	{ "intr", 1, false, read_intr, "intr gic:37" },
	{ "name", 1, false, read_name, "name con" },
	{ "unsupported", 2, false, read_unsupported, "unsupported reference fail" },
	{ "logger", 2, false, read_logger, "logger error,warn stderr" },
	{ "log", 2, false, read_log, "log error,warn stderr" },
	{ "set", 2, false, read_set, "set fdt-dump-file /tmp/fdt.dtb" },
	{ NULL, 0, false, NULL, NULL },
};

const struct word *word_find(const char *name)
{
	for (const struct word *word = words; word->word; word++)
		if (!strcmp(word->word, name))
			return word;
	return NULL;
}
