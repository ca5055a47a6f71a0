// SPDX-License-Identifier: GPL-2.0-only
/* Devices of the host that the guest is to have: what is said of them, and whether the board has room. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "machine/board.h"
#include "machine/build.h"
#include "machine/machine.h"
#include "util/alloc.h"

#define PAGE		4096
#define FLAGS		"rwxcemdnst+-"

/* ---- what is said ---- */

static const char *without(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

/* The number at *@text, which is moved to the , or = or end behind it. */
static bool take_number(const char **text, uint64_t *number)
{
	size_t length = strcspn(*text, ",=");
	char *word = xasprintf("%.*s", (int)length, *text);
	bool good = value_number(word, number);

	free(word);
	*text += length;
	return good;
}

/* ADDRESS,LENGTH[,FLAGS][=HOST]; of ports a length of one need not be said. */
static bool parse_place(struct pass *pass, const char *text)
{
	bool ports = pass->kind == PASS_PORTS;

	pass->size = 1;
	if (!take_number(&text, &pass->gpa) || (!ports && *text != ','))
		return false;
	if (*text == ',') {
		text++;
		if (!take_number(&text, &pass->size))
			return false;
	}
	pass->host = pass->gpa;
	if (*text == ',') {
		pass->flags = text + 1;
		text += strcspn(text, "=");
	}
	if (*text == '=') {
		text++;
		if (!take_number(&text, &pass->host))
			return false;
	}
	return !*text && pass->size && (!ports || (pass->gpa <= 0xffff && pass->size <= 0x10000 - pass->gpa));
}

/* VENDOR/DEVICE[/INDEX] */
static bool parse_ids(const char *text)
{
	char *copy = xstrdup(text), *save = NULL;
	unsigned int count = 0;
	uint64_t number;
	bool good = true;

	for (char *word = strtok_r(copy, "/", &save); word; word = strtok_r(NULL, "/", &save), count++)
		good = good && value_number(word, &number) && number <= 0xffff;
	free(copy);
	return good && count >= 2 && count <= 3;
}

static bool parse_pci(struct pass *pass, const char *text, unsigned int *bus)
{
	const char *host = strchr(text, '=');
	char *place = xasprintf("%.*s", (int)strcspn(text, "="), text);
	unsigned int host_bus;
	uint32_t slot;
	bool is_slot = value_slot(place, bus, &pass->slot);

	pass->device = host ? host + 1 : text;
	pass->device += without(pass->device, "pci:") ? 4 : 0;
	free(place);
	if (!is_slot) {
		*bus = 0;
		pass->slot = PASS_ANY_SLOT;
	}
	if (!is_slot && host)
		return false;
	return parse_ids(pass->device) || value_slot(pass->device, &host_bus, &slot);
}

static void check_flags(const struct pass *pass, struct node *said)
{
	size_t length = pass->flags ? strcspn(pass->flags, "=") : 0;
	bool memory = length && memchr(pass->flags, 'm', length);

	for (size_t i = 0; i < length; i++) {
		if (!strchr(FLAGS, pass->flags[i])) {
			node_error(said, "`%c` is no attribute of memory; r, w, x, c, e, m, d, n, s and t are, "
				   "with + or - before them", pass->flags[i]);
			return;
		}
	}
	if (memory && memchr(pass->flags, 'd', length))
		node_error(said, "d of a device that does DMA and m of the guest's own memory exclude each "
			   "other, write one of them");
}

static void build_place(struct machine *m, struct node *said)
{
	const char *ports = without(said->text, "io:"), *slot = without(said->text, "pci:");
	const char *memory = without(said->text, "mem:");
	struct pass *pass = &m->pass[m->pass_count];
	unsigned int bus = 0;
	bool good;

	*pass = (struct pass){
		.kind = ports ? PASS_PORTS : slot ? PASS_PCI : PASS_MEMORY,
		.text = said->text,
		.origin = said->origin,
	};
	good = slot ? parse_pci(pass, slot, &bus) : parse_place(pass, ports ? ports : memory ? memory : said->text);
	if (!good)
		node_error(said, "\"%s\" won't do, write mem:ADDRESS,LENGTH, io:PORT,COUNT, "
			   "pci:BUS:DEVICE.FUNCTION or pci:VENDOR/DEVICE, with =HOST behind it", said->text);
	else if (bus)
		node_error(said, "\"%s\" is on bus %u, and the guest's only one is 0", said->text, bus);
	else if (ports && m->arch != MACHINE_X86)
		node_error(said, "an arm64 board has no ports, write an address of memory");
	else
		check_flags(pass, said);
	m->pass_count += !said->bad;
}

/* LINE[,t or u][=VECTOR] */
static void build_pass_line(struct machine *m, struct node *said)
{
	struct pass *pass = &m->pass[m->pass_count];
	size_t length = strcspn(said->text, ",=");
	const char *rest = said->text + length;
	struct node line = { .kind = NODE_SCALAR };
	bool good;

	*pass = (struct pass){ .kind = PASS_LINE, .text = said->text, .origin = said->origin };
	line.text = xasprintf("%.*s", (int)length, said->text);
	good = value_irq(line.text, &pass->irq) && pass->irq;
	pass->host = pass->irq;
	if (*rest == ',')
		rest += 1 + strspn(rest + 1, "tu");
	if (*rest == '=')
		good = value_number(rest + 1, &pass->host) && good;
	else
		good = good && !*rest;
	if (!good)
		node_error(said, "\"%s\" won't do, write LINE=VECTOR, such as gic:44=150 or ioapic:4=20",
			   said->text);
	else if (strncmp(line.text, m->board->irq_prefix, strlen(m->board->irq_prefix)))
		node_error(said, "\"%s\" is of another kind of board, here it is %s:LINE", said->text,
			   m->board->irq_prefix);
	m->pass_count += !said->bad;
	free(line.text);
}

static void build_each(struct machine *m, const struct node *entry, const char *key,
		       void (*build)(struct machine *m, struct node *said))
{
	struct node *said = node_find(entry, key);
	struct node *each = said && said->kind == NODE_LIST ? said->child : said;

	for (; each; each = said->kind == NODE_LIST ? each->next : NULL)
		if (each->kind == NODE_SCALAR && !each->bad)
			build(m, each);
}

static size_t count_places(const struct node *list)
{
	size_t count = 0;

	for (const struct node *entry = node_first(list); entry; entry = entry->next)
		for (const struct node *key = entry->child; key; key = key->next)
			count += 1 + node_count(key);
	return count;
}

/* One message for all of them; what stands before, and all that is checked later, is said of each. */
static void say_refused(const struct machine *m, struct node *list)
{
	char places[1400] = "", place[512];
	size_t length = 0;

	for (size_t i = 0; i < m->pass_count && length < sizeof(places); i++)
		length += snprintf(places + length, sizeof(places) - length, "%s%s (%s)", i ? ", " : "",
				   m->pass[i].text, origin_name(&m->pass[i].origin, place, sizeof(place)));
	for (struct node *entry = list->child; entry; entry = entry->next)
		node_judge(entry, VERDICT_MISSING, "no device of the host can be passed through yet");
	node_error(list, "not supported yet by this version of qvm: %s; this module has no hold on devices of "
		   "the host. Leave them out, or start the rest with --without pass", places);
}

void build_pass(struct machine *m, struct node *list)
{
	m->pass = xcalloc(count_places(list) + 1, sizeof(*m->pass));
	for (struct node *entry = node_first(list); entry; entry = entry->next) {
		size_t before = m->pass_count;

		build_each(m, entry, "loc", build_place);
		build_each(m, entry, "irq", build_pass_line);
		if (m->pass_count == before && !entry->bad)
			node_error(entry, "says nothing, write `loc` or `%s`", entry->qvmconf ? "intr" : "irq");
	}
	if (m->pass_count)
		say_refused(m, list);
}

/* ---- against the rest of the board ---- */

static bool is_whole(uint64_t number)
{
	return number % PAGE == 0;
}

static void check_pages(const struct pass *pass)
{
	if (pass->kind == PASS_MEMORY && (!is_whole(pass->gpa) || !is_whole(pass->size) || !is_whole(pass->host)))
		log_at(&pass->origin, "pass", "address, length and the host's address are to be multiples of "
		       "4K, and not 0x%" PRIx64 ", 0x%" PRIx64 " and 0x%" PRIx64, pass->gpa, pass->size,
		       pass->host);
}

/* Does the guest, or the host, have the one where it has the other? Stretches of the guest are in the map. */
static bool meet_in_guest(const struct pass *a, const struct pass *b)
{
	return (a->kind == PASS_LINE && a->irq == b->irq) ||
	       (a->kind == PASS_PCI && a->slot == b->slot && a->slot != PASS_ANY_SLOT);
}

static bool meet_on_host(const struct pass *a, const struct pass *b)
{
	if (a->kind == PASS_PCI)
		return !strcmp(a->device, b->device);
	return a->host == b->host || (a->kind != PASS_LINE && a->host < b->host + b->size &&
				      b->host < a->host + a->size);
}

static void check_line(const struct machine *m, const struct pass *pass)
{
	const char *pic = m->board->irq_prefix;
	char place[512];

	if (pass->irq < m->board->irq_first || pass->irq >= board_irq_end(m))
		log_at(&pass->origin, "pass", "%s:%u is no line for a device, %s:%u to %s:%u are", pic, pass->irq,
		       pic, m->board->irq_first, pic, board_irq_end(m) - 1);
	for (size_t i = 0; i < m->device_count; i++)
		if (m->device[i].irq == pass->irq)
			log_at(&pass->origin, "pass", "%s:%u is the line of %s already (%s), choose another", pic,
			       pass->irq, m->device[i].name,
			       origin_name(&m->device[i].origin, place, sizeof(place)));
}

void pass_validate(const struct machine *m)
{
	char place[512];

	for (size_t i = 0; i < m->pass_count; i++) {
		const struct pass *pass = &m->pass[i];

		check_pages(pass);
		if (pass->kind == PASS_LINE)
			check_line(m, pass);
		for (size_t j = 0; j < i; j++) {
			const struct pass *other = &m->pass[j];

			if (pass->kind != other->kind)
				continue;
			origin_name(&other->origin, place, sizeof(place));
			if (meet_in_guest(pass, other))
				log_at(&pass->origin, "pass", "%s: the guest has %s there already (%s), choose another",
				       pass->text, other->text, place);
			else if (meet_on_host(pass, other))
				log_at(&pass->origin, "pass", "%s: what the host has there is given away already by %s "
				       "(%s)", pass->text, other->text, place);
		}
	}
}
