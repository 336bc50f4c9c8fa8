/* Makes writes below the folder that DISK_BELOW names slow, failing or hanging, as the file that
 * DISK_FAULT names says: two int32, what (0 nothing, 1 slow, 2 failing, 3 hanging) and how much
 * (milliseconds, or the errno). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static volatile int32_t *fault;
static const char *below;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("DISK_FAULT");
    int fd = path ? open(path, O_RDONLY) : -1;
    void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
    fault = shared == MAP_FAILED ? NULL : shared;
    below = getenv("DISK_BELOW");
}

static void rest_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

/* Returns 0, or the errno with which a call on this file fails. */
static int suffer(int fd)
{
    char link[32], path[4096];
    if (!fault || !below || fault[0] == 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0)
        return 0;
    path[size] = 0;
    if (strncmp(path, below, strlen(below)))
        return 0;
    while (fault[0] == 3)
        rest_ms(10);
    if (fault[0] == 1)
        rest_ms(fault[1]);
    return fault[0] == 2 ? fault[1] : 0;
}

#define FAULTY(type, name, given, passed)                  \
    type name given                                        \
    {                                                      \
        static type(*real) given;                          \
        if (!real)                                         \
            *(void **)&real = dlsym(RTLD_NEXT, #name);     \
        int failure = suffer(fd);                          \
        if (failure) {                                     \
            errno = failure;                               \
            return -1;                                     \
        }                                                  \
        return real passed;                                \
    }

FAULTY(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
FAULTY(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
FAULTY(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
FAULTY(int, fsync, (int fd), (fd))
FAULTY(int, fdatasync, (int fd), (fd))
