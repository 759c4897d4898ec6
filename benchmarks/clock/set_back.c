/* The clock of the day, set back: by BACK seconds from AFTER seconds behind the start of the process on.

       cc -O2 -shared -fPIC -o set_back.so benchmarks/clock/set_back.c
       BACK=86400 AFTER=2 LD_PRELOAD=./set_back.so understudy ...

   What counts from the start of the machine (CLOCK_MONOTONIC) goes on, as it does when somebody sets a clock. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static int (*own)(clockid_t, struct timespec *);
static double begun, after, back;

static double monotonic(void) {
    struct timespec now;
    own(CLOCK_MONOTONIC, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

__attribute__((constructor)) static void begin(void) {
    own = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    after = getenv("AFTER") ? atof(getenv("AFTER")) : 0.0;
    back = getenv("BACK") ? atof(getenv("BACK")) : 0.0;
    begun = monotonic();
}

int clock_gettime(clockid_t clock, struct timespec *found) {
    if (!own) begin();
    int said = own(clock, found);
    if ((clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && monotonic() - begun >= after)
        found->tv_sec -= (time_t)back;
    return said;
}

int gettimeofday(struct timeval *restrict found, void *restrict zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    found->tv_sec = now.tv_sec;
    found->tv_usec = now.tv_nsec / 1000;
    (void)zone;
    return 0;
}

time_t time(time_t *found) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (found) *found = now.tv_sec;
    return now.tv_sec;
}
