/* Preloaded into the program: stands for a power cut, and for a disk that is full.
 *
 * PULSEWING_KILL_AT=N kills the process in front of the N-th call that could change anything, or
 * learn anything: files opened, written, synced, renamed, removed; sockets connected, written, read.
 * PULSEWING_TORN=1 lets a write get half of its bytes to the file before that.
 * What the process was killed in front of is said on stderr.
 *
 * PULSEWING_FULL=FILE: while FILE exists, the disk is full; a write fails unless the file has room
 * for it already.
 *
 * PULSEWING_READ_ONLY=DIR: below DIR nothing is opened to be written.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;

static int is_a(int fd, mode_t kind)
{
	struct stat about;
	return fstat(fd, &about) == 0 && (about.st_mode & S_IFMT) == kind;
}

/* Counts a call; at the chosen one the process is no more. */
static void step(const char *name, int fd, const void *bytes, size_t length)
{
	static long at = -1;
	if (at < 0) {
		const char *text = getenv("PULSEWING_KILL_AT");
		at = text ? atol(text) : 0;
	}
	if (atomic_fetch_add(&calls, 1) + 1 != at)
		return;
	if (bytes && getenv("PULSEWING_TORN"))
		syscall(SYS_write, fd, bytes, length / 2);
	dprintf(2, "killed in front of %s\n", name);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_state(const char *path)
{
	const char *state = getenv("PULSEWING_WATCH");
	return state && strncmp(path, state, strlen(state)) == 0;
}

static int opened(const char *name, int dir, const char *path, int flags, va_list rest)
{
	mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
	const char *read_only = getenv("PULSEWING_READ_ONLY");
	int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
	if (read_only && writes && strncmp(path, read_only, strlen(read_only)) == 0) {
		errno = EROFS;
		return -1;
	}
	if (is_state(path))
		step(name, -1, NULL, 0);
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	int fd = opened("open", AT_FDCWD, path, flags, rest);
	va_end(rest);
	return fd;
}

int open64(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	int fd = opened("open", AT_FDCWD, path, flags | O_LARGEFILE, rest);
	va_end(rest);
	return fd;
}

int openat64(int dir, const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	int fd = opened("open", dir, path, flags | O_LARGEFILE, rest);
	va_end(rest);
	return fd;
}

static int is_full(int fd, size_t length)
{
	struct stat about;
	const char *full = getenv("PULSEWING_FULL");
	if (!full || access(full, F_OK) != 0 || fstat(fd, &about) != 0)
		return 0;
	return lseek(fd, 0, SEEK_CUR) + (off_t)length > (off_t)about.st_blocks * 512;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	if (is_a(fd, S_IFREG)) {
		step("write", fd, bytes, length);
		if (is_full(fd, length)) {
			errno = ENOSPC;
			return -1;
		}
	}
	return REAL(write)(fd, bytes, length);
}

int fsync(int fd)
{
	step("fsync", -1, NULL, 0);
	return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	step("fdatasync", -1, NULL, 0);
	return REAL(fdatasync)(fd);
}

int rename(const char *from, const char *to)
{
	step("rename", -1, NULL, 0);
	return REAL(rename)(from, to);
}

int unlink(const char *path)
{
	step("unlink", -1, NULL, 0);
	return REAL(unlink)(path);
}

int flock(int fd, int operation)
{
	step("flock", -1, NULL, 0);
	return (int)syscall(SYS_flock, fd, operation);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	if (address->sa_family != AF_UNIX)
		step("connect", -1, NULL, 0);
	return REAL(connect)(fd, address, length);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
	/* One byte wakes a thread up. */
	if (length > 1)
		step("send", -1, NULL, 0);
	return REAL(send)(fd, bytes, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	step("send", -1, NULL, 0);
	return REAL(sendmsg)(fd, message, flags);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
	if (is_a(fd, S_IFSOCK))
		step("send", -1, NULL, 0);
	return REAL(writev)(fd, pieces, count);
}

/* Only a recv that brings something counts: how often it is tried in vain is chance. */
ssize_t recv(int fd, void *bytes, size_t length, int flags)
{
	char one;
	if (length > 1 && REAL(recv)(fd, &one, 1, flags | MSG_PEEK | MSG_DONTWAIT) > 0)
		step("recv", -1, NULL, 0);
	return REAL(recv)(fd, bytes, length, flags);
}
