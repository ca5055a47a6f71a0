// SPDX-License-Identifier: GPL-2.0-only
/* /dev/qvm: what it says of itself, and the creation of VMs. */
#include <kselftest_harness.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include "vm.h"

FIXTURE(system)
{
	int fd;
	struct qvm_create_vm vm;
};

FIXTURE_SETUP(system)
{
	self->fd = must(open("/dev/qvm", O_RDWR | O_CLOEXEC));
	self->vm = (struct qvm_create_vm){ .name = "system", .max_vcpus = 1 };
}

FIXTURE_TEARDOWN(system)
{
	close(self->fd);
}

static int create(int fd, const struct qvm_create_vm *vm)
{
	struct qvm_create_vm copy = *vm;

	return call(fd, QVM_CREATE_VM, &copy);
}

TEST_F(system, query)
{
	struct qvm_query query = { 0 };

	ASSERT_EQ(0, call(self->fd, QVM_QUERY, &query));
	EXPECT_EQ(QVM_API_VERSION, query.api_version);
	EXPECT_EQ(QVM_ARCH_ARM64, query.arch);
	EXPECT_EQ(0, query.features & ~(QVM_FEATURE_DIRTY_LOG | QVM_FEATURE_EVENTFD | QVM_FEATURE_POST |
				      QVM_FEATURE_SHARE | QVM_FEATURE_RUN_SEEK));
	EXPECT_EQ(QVM_MAX_VCPUS, query.max_vcpus);
	EXPECT_LE(32, query.ipa_bits);
	EXPECT_GE(52, query.ipa_bits);
	EXPECT_EQ(PAGE, query.page_size);
	EXPECT_LE(sizeof(struct qvm_run), query.run_size);
	EXPECT_EQ(0, query.run_size % query.page_size);
	EXPECT_TRUE(query.block_sizes & query.page_size);
	EXPECT_EQ(0, query.reserved);
}

/* Memory of the host's choice for a guest of the caller's choice: root's alone, unless it is given. */
TEST_F(system, is_private)
{
	struct stat st;

	ASSERT_EQ(0, stat("/dev/qvm", &st));
	EXPECT_EQ(0600, st.st_mode & 0777);
	EXPECT_EQ(0, st.st_uid);
}

TEST_F(system, names)
{
	static const char longest[] = "1234567890123456789012345678901";
	static const char tilde_space[] = "~ !\"#%/\\";
	int i;

	self->vm.name[0] = '\0';
	EXPECT_EQ(-EINVAL, create(self->fd, &self->vm));
	memset(self->vm.name, 'x', QVM_NAME_SIZE);
	EXPECT_EQ(-EINVAL, create(self->fd, &self->vm));
	for (i = 1; i < 256; i++) {
		bool printable = i >= ' ' && i <= '~';
		int fd;

		strcpy(self->vm.name, "a?c");
		self->vm.name[1] = i;
		fd = create(self->fd, &self->vm);
		EXPECT_EQ(printable, fd >= 0) { TH_LOG("character %d", i); }
		if (fd >= 0)
			close(fd);
		else
			EXPECT_EQ(-EINVAL, fd);
	}
	ASSERT_EQ(QVM_NAME_SIZE, sizeof(longest));
	strcpy(self->vm.name, longest);
	EXPECT_LE(0, create(self->fd, &self->vm));
	strcpy(self->vm.name, tilde_space);
	EXPECT_LE(0, create(self->fd, &self->vm));
}

/* What is behind the terminating NUL says nothing. */
TEST_F(system, a_name_is_taken_while_its_vm_lives)
{
	int fd, vcpu;

	fd = create(self->fd, &self->vm);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EEXIST, create(self->fd, &self->vm));
	self->vm.name[QVM_NAME_SIZE - 1] = 'x';
	EXPECT_EQ(-EEXIST, create(self->fd, &self->vm));
	self->vm.name[QVM_NAME_SIZE - 1] = 0;
	vcpu = create_vcpu(fd, 0);
	ASSERT_LE(0, vcpu);
	close(fd);
	EXPECT_EQ(-EEXIST, create(self->fd, &self->vm));	/* it lives in its vCPU's fd */
	close(vcpu);
	EXPECT_LE(0, create(self->fd, &self->vm));
}

TEST_F(system, parameters)
{
	struct qvm_query query = { 0 };
	struct qvm_create_vm vm;
	uint32_t bits;
	int fd;

	ASSERT_EQ(0, call(self->fd, QVM_QUERY, &query));
	vm = self->vm, vm.max_vcpus = 0;
	EXPECT_EQ(-EINVAL, create(self->fd, &vm));
	vm.max_vcpus = query.max_vcpus + 1;
	EXPECT_EQ(-EINVAL, create(self->fd, &vm));
	vm.max_vcpus = -1;
	EXPECT_EQ(-EINVAL, create(self->fd, &vm));
	vm.max_vcpus = query.max_vcpus;
	fd = create(self->fd, &vm);
	EXPECT_LE(0, fd);
	close(fd);
	vm = self->vm, vm.vm_type = 1;
	EXPECT_EQ(-EINVAL, create(self->fd, &vm));
	for (bits = 1; bits < 70; bits++) {
		vm = self->vm, vm.ipa_bits = bits;
		fd = create(self->fd, &vm);
		EXPECT_EQ(bits >= 32 && bits <= query.ipa_bits, fd >= 0) { TH_LOG("%u bits", bits); }
		if (fd >= 0)
			close(fd);
		else
			EXPECT_EQ(-EINVAL, fd);
	}
}

/* The widest address is what ipa_bits says, for each width that there is. */
TEST_F(system, ipa_bits_bound_regions)
{
	char *page = map_memory(PAGE);
	struct qvm_query query = { 0 };
	uint32_t bits;

	ASSERT_EQ(0, call(self->fd, QVM_QUERY, &query));
	for (bits = 32; bits <= query.ipa_bits; bits++) {
		uint64_t top = 1ULL << bits;
		int fd;

		self->vm.ipa_bits = bits;
		fd = create(self->fd, &self->vm);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-ERANGE, add_region(fd, top, page, PAGE, QVM_REGION_RAM));
		EXPECT_EQ(-ERANGE, add_region(fd, top - PAGE, page, 2 * PAGE, QVM_REGION_RAM));
		EXPECT_EQ(0, add_region(fd, top - PAGE, page, PAGE, QVM_REGION_RAM));
		close(fd);
	}
}

TEST_F(system, ids_are_unique)
{
	uint32_t last = 0;
	int i, fd;

	for (i = 0; i < 20; i++) {
		struct qvm_create_vm vm = self->vm;

		fd = call(self->fd, QVM_CREATE_VM, &vm);
		ASSERT_LE(0, fd);
		EXPECT_NE(last, vm.id);
		EXPECT_NE(0, vm.id);
		EXPECT_EQ(vm.id, vm_info(fd).id);
		last = vm.id;
		close(fd);
	}
}

TEST_F(system, fds_close_on_exec)
{
	int vm = create(self->fd, &self->vm), vcpu = must(create_vcpu(vm, 0));

	EXPECT_EQ(FD_CLOEXEC, fcntl(vm, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(vcpu, F_GETFD));
}

/* No fd is free: nothing was made, the name and the index stay free. */
TEST_F(system, no_free_fd)
{
	struct rlimit limit, old;
	int vm, vcpu;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	limit = old, limit.rlim_cur = self->fd + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, create(self->fd, &self->vm));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(0, module_count("vm_count"));
	vm = create(self->fd, &self->vm);
	ASSERT_LE(0, vm);

	limit.rlim_cur = vm + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, create_vcpu(vm, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
	EXPECT_EQ(0, module_count("vcpu_count"));
	EXPECT_EQ(0, vm_info(vm).vcpu_count);
	vcpu = create_vcpu(vm, 0);
	EXPECT_LE(0, vcpu);
	EXPECT_EQ(-EEXIST, create_vcpu(vm, 0));
}

/* The system's limit on open files does not stop root, so be another. */
TEST_F(system, no_free_file)
{
	FILE *f = fopen("/proc/sys/fs/file-max", "r+");
	unsigned long old, used = 0;
	int status;
	FILE *nr;
	pid_t child;

	ASSERT_TRUE(f && fscanf(f, "%lu", &old) == 1);
	nr = fopen("/proc/sys/fs/file-nr", "r");
	ASSERT_TRUE(nr && fscanf(nr, "%lu", &used) == 1);
	ASSERT_EQ(0, fseek(f, 0, SEEK_SET));
	fprintf(f, "1");
	fflush(f);
	child = fork();
	if (!child) {
		int i;

		/* the kernel counts in batches, CPU by CPU */
		for (i = 0; i < 500; i++)
			must(open("/dev/null", O_RDONLY));
		must(setuid(1));
		_exit(-create(self->fd, &self->vm));
	}
	waitpid(child, &status, 0);
	ASSERT_EQ(0, fseek(f, 0, SEEK_SET));
	fprintf(f, "%lu", old);
	fclose(f);
	EXPECT_EQ(ENFILE, WEXITSTATUS(status));
	EXPECT_TRUE(module_is_empty());
}

TEST(vms_of_many_processes)
{
	enum { COUNT = 10 };
	int i, status;

	for (i = 0; i < COUNT; i++)
		if (!fork()) {
			struct machine m;

			machine_start(&m, &guest_off, 1);
			_exit(run_vcpu(&m, 0) != QVM_EXIT_SYSTEM || !is_off(m.run[0]));
		}
	for (i = 0; i < COUNT; i++) {
		must(wait(&status));
		EXPECT_EQ(0, status);
	}
}

TEST_NOTHING_IS_LEFT

TEST_HARNESS_MAIN
