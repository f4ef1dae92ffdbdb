/* Preloaded into the program: counts what it writes to the log of its journal, over all threads, and kills it at one of these calls.
   LIFEBOAT_DIE_AT: the number of the call, before which the process is killed.
   LIFEBOAT_CALLS: a file that gets one letter for each call, w(rite) or s(ync).
   LIFEBOAT_SYNCS: a file that gets one letter for each wait for the disk, whatever file it is for. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int calls;

static int is_log(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    const char *name = "journal.db-wal";
    if (length < (ssize_t)strlen(name)) return 0;
    path[length] = 0;
    return strcmp(path + length - strlen(name), name) == 0;
}

static void note(const char *variable, const char *letter) {
    const char *file = getenv(variable);
    if (!file) return;
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (write(fd, letter, 1) != 1) abort();
    close(fd);
}

static void called(const char *letter) {
    int number = atomic_fetch_add(&calls, 1) + 1;
    const char *at = getenv("LIFEBOAT_DIE_AT");
    note("LIFEBOAT_CALLS", letter);
    if (at && atoi(at) == number) kill(getpid(), SIGKILL);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    static ssize_t (*real)(int, const void *, size_t, off64_t);
    if (!real) real = (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    if (is_log(fd)) called("w");
    return real(fd, bytes, count, offset);
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    if (is_log(fd)) called("s");
    note("LIFEBOAT_SYNCS", "s");
    return real(fd);
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    if (is_log(fd)) called("s");
    note("LIFEBOAT_SYNCS", "s");
    return real(fd);
}
