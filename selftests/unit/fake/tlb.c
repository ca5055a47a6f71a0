// SPDX-License-Identifier: GPL-2.0-only
/* See tlb.h. */
#include <stdio.h>
#include <string.h>

#include <linux/bits.h>
#include <linux/bug.h>
#include <linux/kernel.h>

#include "tlb.h"

#define PAGE_BYTES	4096
#define ENTRIES		512
#define POOL_HPA	0x8100000000ULL		/* hpa of a table is not its address here */
#define NO_LEVEL	0xff

struct page {
	bool used, head;
	u8 order, level;	/* level: NO_LEVEL until something leads to it */
	u64 gpa;		/* of its first entry */
	struct tlb_vm *vm;
};

struct tlb_state tlb;

static u64 pool[TLB_PAGES][ENTRIES] __attribute__((aligned(65536)));
static struct page pages[TLB_PAGES];

/* Entries that were live, are invalid, and were not flushed since: what they were, else 0. */
static u64 pending[TLB_PAGES][ENTRIES];
static const volatile u64 *pending_list[TLB_PAGES * ENTRIES];
static unsigned int pending_count;

#define violation(format, ...) \
	(tlb.violations++ < 10 ? (void)printf("# tlb: " format "\n", ##__VA_ARGS__) : (void)0)

static unsigned int level_shift(unsigned int level)
{
	return 39 - 9 * level;
}

static u64 level_bytes(unsigned int level)
{
	return 1ULL << level_shift(level);
}

static struct tlb_vm *s2_to_vm(const struct s2_table *s2)
{
	return container_of((struct s2_table *)s2, struct tlb_vm, s2);
}

static int page_of(const volatile void *addr)
{
	const char *p = (const char *)addr, *base = (const char *)pool;

	return p >= base && p < base + sizeof(pool) ? (p - base) / PAGE_BYTES : -1;
}

static int page_of_hpa(u64 hpa)
{
	if (hpa < POOL_HPA || hpa >= POOL_HPA + sizeof(pool))
		return -1;
	return (hpa - POOL_HPA) / PAGE_BYTES;
}

static u64 *pending_of(const volatile u64 *addr)
{
	return (u64 *)pending + (addr - (u64 *)pool);
}

static u64 gpa_of(const volatile u64 *addr)
{
	struct page *page = &pages[page_of(addr)];

	return page->gpa + (addr - (u64 *)pool) % ENTRIES * level_bytes(page->level);
}

/* ---- memory ---- */

static bool pages_free(unsigned int first, unsigned int count)
{
	while (count--) {
		if (first + count >= TLB_PAGES || pages[first + count].used)
			return false;
	}
	return true;
}

static void *mem_alloc(struct s2_table *s2, unsigned int order)
{
	static unsigned int next;	/* round robin: a page is reused late, a stale use seen */
	unsigned int tries, i, count = 1U << order;

	if (tlb.fail_at && --tlb.fail_at == 0)
		return NULL;
	for (tries = 0; tries < TLB_PAGES; tries++) {
		next = ALIGN(next + 1, count) % TLB_PAGES;
		if (pages_free(next, count))
			break;
	}
	BUG_ON(!pages_free(next, count));
	for (i = 0; i < count; i++)
		pages[next + i] = (struct page){
			.used = true, .head = i == 0, .order = order, .level = NO_LEVEL,
			.vm = s2_to_vm(s2),
		};
	tlb.pages += count;
	memset(pool[next], 0, count * PAGE_BYTES);
	return pool[next];
}

static void free_check(struct tlb_vm *vm, u64 hpa)
{
	unsigned int pcpu, level, way, i;

	for (i = 0; i < pending_count; i++) {
		const volatile u64 *addr = pending_list[i];
		struct tlb_pte old = tlb_decode(*pending_of(addr), pages[page_of(addr)].level);

		if (old.kind == TLB_TABLE && old.hpa == hpa)
			violation("table %#llx freed before a flush", hpa);
	}
	for (pcpu = 0; pcpu < TLB_PCPUS; pcpu++)
		for (level = 0; level < TLB_LEVELS; level++)
			for (way = 0; way < TLB_WAYS; way++) {
				struct tlb_entry *entry = &tlb.entry[pcpu][level][way];

				if (entry->valid && entry->vmid == vm->vmid &&
				    entry->pte.kind == TLB_TABLE && entry->pte.hpa == hpa)
					violation("table %#llx freed, pCPU %u walks it", hpa, pcpu);
			}
}

static void mem_free(struct s2_table *s2, void *table, unsigned int order)
{
	int page = page_of(table);
	unsigned int i;

	BUG_ON(page < 0 || !pages[page].used || !pages[page].head || pages[page].order != order);
	for (i = 0; i < 1U << order; i++) {
		free_check(s2_to_vm(s2), POOL_HPA + (u64)(page + i) * PAGE_BYTES);
		pages[page + i].used = false;
		memset(pool[page + i], 0xdb, PAGE_BYTES);
		tlb.pages--;
	}
}

static u64 mem_virt_to_hpa(const void *table)
{
	BUG_ON(page_of(table) < 0);
	return POOL_HPA + ((const char *)table - (const char *)pool);
}

static void *mem_hpa_to_virt(u64 hpa)
{
	int page = page_of_hpa(hpa);

	BUG_ON(page < 0 || !pages[page].used || hpa % PAGE_BYTES);
	return pool[page];
}

/* ---- walk and TLB ---- */

static struct tlb_entry *tlb_find(struct tlb_vm *vm, unsigned int pcpu, unsigned int level, u64 gpa)
{
	u64 base = gpa & ~(level_bytes(level) - 1);
	unsigned int way;

	for (way = 0; way < TLB_WAYS; way++) {
		struct tlb_entry *entry = &tlb.entry[pcpu][level][way];

		if (entry->valid && entry->vmid == vm->vmid && entry->gpa == base)
			return entry;
	}
	return NULL;
}

static void tlb_fill(struct tlb_vm *vm, unsigned int pcpu, unsigned int level, u64 gpa,
		     struct tlb_pte pte)
{
	struct tlb_entry *entry = tlb.entry[pcpu][level], *end = entry + TLB_WAYS;

	while (entry < end && entry->valid)
		entry++;
	if (entry == end)
		return;		/* full: a walk need not be cached */
	*entry = (struct tlb_entry){
		.valid = true, .vmid = vm->vmid, .gpa = gpa & ~(level_bytes(level) - 1), .pte = pte,
	};
}

/* The entry of @level for @gpa in the table at @hpa. The root has more than 9 bits of index. */
static struct tlb_pte entry_at(struct tlb_vm *vm, u64 hpa, unsigned int level, u64 gpa)
{
	u64 index = gpa >> level_shift(level);
	int page = page_of_hpa(hpa);
	struct tlb_pte pte;

	if (level != vm->s2.root_level)
		index %= ENTRIES;
	page = page < 0 ? page : page + (int)(index / ENTRIES);
	if (page < 0 || !pages[page].used || pages[page].vm != vm) {
		violation("walk of %#llx goes into no table of the VM (%#llx)", gpa, hpa);
		return (struct tlb_pte){ .kind = TLB_INVALID };
	}
	pte = tlb_decode(pool[page][index % ENTRIES], level);
	if (pte.kind == TLB_RUBBISH)
		violation("rubbish %#llx at level %u for %#llx", pool[page][index % ENTRIES], level,
			  gpa);
	return pte;
}

bool tlb_access(struct tlb_vm *vm, unsigned int pcpu, u64 gpa, u64 *hpa, u32 *prot)
{
	u64 table = mem_virt_to_hpa(vm->s2.root);
	unsigned int level;

	for (level = vm->s2.root_level; level < TLB_LEVELS; level++) {
		struct tlb_entry *cached = tlb_find(vm, pcpu, level, gpa);
		struct tlb_pte pte = cached ? cached->pte : entry_at(vm, table, level, gpa);

		if (pte.kind != TLB_TABLE && pte.kind != TLB_LEAF)
			return false;
		if (!cached)
			tlb_fill(vm, pcpu, level, gpa, pte);
		if (pte.kind == TLB_LEAF) {
			*hpa = pte.hpa + (gpa & (level_bytes(level) - 1));
			*prot = pte.prot;
			return true;
		}
		table = pte.hpa;
	}
	return false;
}

/* What the tables say at @level for @gpa, without any TLB. */
static struct tlb_pte walk_to(struct tlb_vm *vm, unsigned int level, u64 gpa)
{
	u64 table = mem_virt_to_hpa(vm->s2.root);
	unsigned int at;

	for (at = vm->s2.root_level;; at++) {
		struct tlb_pte pte = entry_at(vm, table, at, gpa);

		if (at == level)
			return pte;
		if (pte.kind != TLB_TABLE)
			return (struct tlb_pte){ .kind = TLB_INVALID };
		table = pte.hpa;
	}
}

static bool pte_same(struct tlb_pte a, struct tlb_pte b)
{
	return a.kind == b.kind && a.hpa == b.hpa && a.prot == b.prot;
}

void tlb_check(struct tlb_vm *vm)
{
	unsigned int pcpu, level, way;

	for (pcpu = 0; pcpu < TLB_PCPUS; pcpu++)
		for (level = vm->s2.root_level; level < TLB_LEVELS; level++)
			for (way = 0; way < TLB_WAYS; way++) {
				struct tlb_entry *entry = &tlb.entry[pcpu][level][way];

				if (entry->valid && entry->vmid == vm->vmid &&
				    !pte_same(entry->pte, walk_to(vm, level, entry->gpa)))
					violation("pCPU %u, level %u: stale for %#llx", pcpu, level,
						  entry->gpa);
			}
}

static void tlb_drop(unsigned int vmid, u64 gpa, u64 last)
{
	unsigned int pcpu, level, way;

	for (pcpu = 0; pcpu < TLB_PCPUS; pcpu++)
		for (level = 0; level < TLB_LEVELS; level++)
			for (way = 0; way < TLB_WAYS; way++) {
				struct tlb_entry *entry = &tlb.entry[pcpu][level][way];

				if (entry->vmid == vmid && entry->gpa <= last &&
				    entry->gpa + level_bytes(level) - 1 >= gpa)
					entry->valid = false;
			}
}

void tlb_forget(unsigned int vmid)
{
	tlb_drop(vmid, 0, U64_MAX);
}

/* A leaf in all its parts, for one part left out could still be held; a table by any address. */
static bool pending_flushed(const volatile u64 *addr, struct tlb_vm *vm, u64 gpa, u64 size)
{
	struct page *page = &pages[page_of(addr)];
	u64 start = gpa_of(addr), end = start + level_bytes(page->level);

	if (page->vm != vm)
		return false;
	if (tlb_decode(*pending_of(addr), page->level).kind == TLB_LEAF)
		return start >= gpa && end <= gpa + size;
	return start < gpa + size && end > gpa;
}

static void ops_flush(struct s2_table *s2, u64 gpa, u64 size)
{
	struct tlb_vm *vm = s2_to_vm(s2);
	unsigned int i, left = 0;

	tlb.flushes++;
	tlb.flush_gpa = gpa;
	tlb.flush_size = size;
	tlb_drop(vm->vmid, gpa, gpa + size - 1);
	for (i = 0; i < pending_count; i++) {
		if (pending_flushed(pending_list[i], vm, gpa, size))
			*pending_of(pending_list[i]) = 0;
		else
			pending_list[left++] = pending_list[i];
	}
	pending_count = left;
}

static void ops_sync(struct s2_table *s2)
{
	tlb.syncs++;
}

const struct s2_ops tlb_s2_ops = {
	.alloc = mem_alloc,
	.free = mem_free,
	.virt_to_hpa = mem_virt_to_hpa,
	.hpa_to_virt = mem_hpa_to_virt,
	.flush = ops_flush,
	.sync = ops_sync,
};

/* ---- each write of an entry ---- */

static void pending_add(const volatile u64 *addr, u64 old)
{
	if (!*pending_of(addr))
		pending_list[pending_count++] = addr;
	*pending_of(addr) = old;
}

static bool shape_differs(struct tlb_pte a, struct tlb_pte b)
{
	return a.kind != b.kind || a.hpa != b.hpa || ((a.prot ^ b.prot) & S2_DEVICE);
}

/* A table has been linked: it and what is in it has a level now. */
static void link_page(struct tlb_vm *vm, u64 hpa, unsigned int level, u64 gpa)
{
	int page = page_of_hpa(hpa);
	unsigned int i;

	if (page < 0 || !pages[page].used || pages[page].vm != vm || level >= TLB_LEVELS) {
		violation("entry of %#llx leads to no table", gpa);
		return;
	}
	pages[page].level = level;
	pages[page].gpa = gpa;
	for (i = 0; i < ENTRIES; i++) {
		if (tlb_decode(pool[page][i], level).kind == TLB_RUBBISH)
			violation("rubbish %#llx linked at level %u", pool[page][i], level);
	}
}

/* Only what lies below the written entry can have changed. */
static void probe(struct tlb_vm *vm, u64 gpa, u64 size)
{
	unsigned int i;
	u64 hpa;
	u32 prot;

	for (i = 0; i < tlb.probe_count; i++) {
		if (tlb.probe[i] - gpa < size)
			tlb_access(vm, i % TLB_PCPUS, tlb.probe[i], &hpa, &prot);
	}
}

static void check_shape(struct tlb_pte old, struct tlb_pte new, struct tlb_pte flushed, u64 gpa)
{
	if (new.kind == TLB_RUBBISH)
		violation("rubbish written for %#llx", gpa);
	else if (new.kind == TLB_INVALID)
		return;
	else if (old.kind != TLB_INVALID && shape_differs(old, new))
		violation("live entry of %#llx changed its shape", gpa);
	else if (flushed.kind != TLB_INVALID && shape_differs(flushed, new))
		violation("entry of %#llx made anew without a flush", gpa);
}

static void on_write(volatile void *addr, u64 old_pte, u64 new_pte)
{
	int at = page_of(addr);
	struct tlb_pte old, new;
	struct page *page;
	u64 gpa;

	if (at < 0 || pages[at].level == NO_LEVEL)
		return;
	tlb.writes++;
	page = &pages[at];
	gpa = gpa_of(addr);
	old = tlb_decode(old_pte, page->level);
	new = tlb_decode(new_pte, page->level);
	check_shape(old, new, tlb_decode(*pending_of(addr), page->level), gpa);
	if (old.kind != TLB_INVALID && new.kind == TLB_INVALID)
		pending_add(addr, old_pte);
	if (new.kind == TLB_TABLE)
		link_page(page->vm, new.hpa, page->level + 1, gpa);
	if (page->vm == tlb.vm)
		probe(page->vm, gpa, level_bytes(page->level));
}

/* ---- set-up ---- */

void tlb_reset(void)
{
	BUG_ON(tlb.pages);
	memset(&tlb, 0, sizeof(tlb));
	memset(pending, 0, sizeof(pending));
	pending_count = 0;
	fake_write_hook = on_write;
}

int tlb_vm_init(struct tlb_vm *vm, unsigned int vmid, unsigned int ipa_bits, u64 block_sizes)
{
	int ret, page, i;

	vm->vmid = vmid;
	ret = s2_init(&vm->s2, &tlb_s2_ops, ipa_bits, block_sizes);
	if (ret)
		return ret;
	page = page_of(vm->s2.root);
	for (i = 0; i < 1 << vm->s2.root_order; i++) {
		pages[page + i].level = vm->s2.root_level;
		pages[page + i].gpa = i * ENTRIES * level_bytes(vm->s2.root_level);
	}
	tlb_forget(vmid);
	return 0;
}

void tlb_vm_destroy(struct tlb_vm *vm)
{
	if (tlb.vm == vm)
		tlb.vm = NULL;
	tlb_forget(vm->vmid);
	s2_destroy(&vm->s2);
}
