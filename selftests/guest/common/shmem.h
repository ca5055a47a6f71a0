/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two VMs with this guest share memory: who comes first is client 0 and stays, client 1 comes twice.
 * The first client 1 says "kill me" and is killed, the second one goes by itself. An architecture's
 * shmem.c has FACTORY and VECTOR (a line of the board), line_init(), line_end() and map().
 */
#define NAME		"testing"
#define PAGES		4
#define ROUNDS		50
#define LONG		(60 * SECOND)	/* the other VM may have the only CPU */

enum { SIGNATURE_LOW = 0, SIGNATURE_HIGH = 4, SHMEM = 8, LINE_REG = 16, STATUS = 20, SIZE = 24, REGION = 28,
       FIND = 60 };
enum { C_STATUS = 0, C_INDEX = 4, C_NOTIFY = 8, C_DETACH = 12 };
enum { S_OK, S_FAILURE, S_MEMORY, S_CLIENTS, S_NAME, S_PERMISSION, S_MISSING };

/* What is shared, behind the control page. */
struct board {
	volatile u64 word[2];		/* of each client */
	volatile u32 visit;		/* of client 1: written by client 0 */
};

static u64 control_at, control, board_at;	/* gpa; where they are mapped */
static u32 me;
static volatile u32 came, from, clients;

/* From the interrupt: reading the status ends it. */
static void take(void)
{
	u32 status = read32(control + C_STATUS);

	from |= status & 0xffff;
	clients = status >> 16;
	came++;
	line_end();
}

static u32 attach(const char *name, u32 pages)
{
	for (unsigned int i = 0; i < 32; i++) {
		write8(FACTORY + REGION + i, *name);
		name += !!*name;
	}
	write32(FACTORY + SIZE, pages);
	return read32(FACTORY + STATUS);
}

static u64 place(void)
{
	return read32(FACTORY + SHMEM) | (u64)read32(FACTORY + SHMEM + 4) << 32;
}

static void test_registers(void)
{
	check_eq(read32(FACTORY + SIGNATURE_LOW), 0x474d5651);
	check_eq(read32(FACTORY + SIGNATURE_HIGH), 0x4d534732);
	check_eq(read32(FACTORY + LINE_REG), VECTOR);
	check_eq(read32(FACTORY + STATUS), S_OK);
	write32(FACTORY + FIND, 0);
	check_eq(read32(FACTORY + STATUS), S_MISSING);
}

static void test_refused(void)
{
	check_eq(attach("", 1), S_NAME);
	check_eq(attach("a/b", 1), S_NAME);
	check_eq(attach(".a", 1), S_NAME);
	check_eq(attach("12345678901234567890123456789012", 1), S_NAME);
	check_eq(attach("secret-1", 1), S_PERMISSION);
	check_eq(attach("huge", 0x100000), S_MEMORY);
	check_eq(attach("nothing-to-come-to", 0), S_FAILURE);
}

static void test_attach(void)
{
	u32 status;
	u64 at;

	check_eq(attach(NAME, PAGES), S_OK);
	check_eq(read32(FACTORY + SIZE), PAGES);
	at = place();
	check(at && !(at & 0xfff));
	control_at = at;
	control = map(at, PAGES + 1);
	board_at = control + 0x1000;
	me = read32(control + C_INDEX);
	check(me < 2);
	/* once more is the same; and whatever size is asked for */
	check_eq(attach(NAME, 1), S_OK);
	check_eq(place(), at);
	check_eq(read32(FACTORY + SIZE), PAGES);
	write32(FACTORY + FIND, 0);
	check_eq(read32(FACTORY + STATUS), S_OK);
	check_eq(place(), at);
	check_eq(read8(FACTORY + REGION), NAME[0]);
	write32(FACTORY + FIND, 1);
	check_eq(read32(FACTORY + STATUS), S_MISSING);
	/* Before the first look: the other may have rung as soon as we came. */
	line_init(me);
	status = read32(control + C_STATUS);
	from = status & 0xffff;
	clients = status >> 16;
	check(clients & 1 << me);
}

/* One that nobody else knows; it comes and goes, and its place is nothing then. */
static void test_alone(void)
{
	u64 at, there;

	check_eq(attach(me ? "one" : "zero", 2), S_OK);
	at = place();
	check(at != control_at);
	there = map(at, 3);
	check_eq(read32(there + C_INDEX), 0);
	check_eq(read32(there + C_STATUS), 1 << 16);
	write32(there + 0x1000, 0x1234);
	check_eq(read32(there + 0x1000), 0x1234);
	check_eq(read32(there + 0x2ffc), 0);
	write32(there + C_DETACH, 1);
	check_eq(read32(there + 0x1000), 0);
	check_eq(read32(there + C_STATUS), 0);
	write32(FACTORY + FIND, 1);
	check_eq(read32(FACTORY + STATUS), S_MISSING);
}

/* Each in turn: what the other wrote is there when its notification is. */
static void exchange(struct board *board, bool all)
{
	u32 other = !me, begin = came;

	for (u64 i = 1; i <= ROUNDS; i++) {
		if (me) {
			if (!check(wait_for(from & 1 << other, LONG)))
				return;
			from = 0;
			if (!check_eq(board->word[other], i * 3))
				return;
		}
		board->word[me] = i * 3 + me;
		write32(control + C_NOTIFY, all ? 0xffffffff : 1u << other);
		if (me)
			continue;
		if (!check(wait_for(from & 1 << other, LONG)))
			return;
		from = 0;
		if (!check_eq(board->word[other], i * 3 + 1))
			return;
	}
	/* one for each, but one that was seen at the first look; and for who came or went, or for nothing then */
	check(came - begin >= ROUNDS - 1);
	check(came - begin <= ROUNDS + 3);
}

static void meet(struct board *board, u32 visit)
{
	if (!check(wait_for(clients == 3, LONG)))
		return;
	board->visit = visit;
	exchange(board, visit == 2);
	/* gone: killed, or by itself */
	check(wait_for(clients == 1, LONG));
	check_eq(board->word[0], ROUNDS * 3);
	board->word[0] = 0;
}

static void visit(struct board *board)
{
	exchange(board, false);
	if (board->visit == 1)
		print("# kill me\n");
	while (board->visit == 1)
		delay_us(1000);
	write32(control + C_DETACH, 0);
}

static void test_exchange(void)
{
	struct board *board = (struct board *)board_at;

	irqs_enable();
	if (me) {
		visit(board);
		return;
	}
	meet(board, 1);
	meet(board, 2);
}

const struct test tests[] = {
	TEST(registers),
	TEST(refused),
	TEST(attach),
	TEST(alone),
	TEST(exchange),
	{},
};
