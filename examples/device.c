/* A wearable in C: streams a synthetic ECG to a monitor, and loses nothing on the way.
 *
 *     cc -std=c11 -Wall -Wextra -Werror -O2 -o device device.c -lzmq -lm
 *     ./device tcp://127.0.0.1:5555 ann 250 [SECONDS [KEYFILE]]
 *
 * Needs libzmq only. docs/wire.md describes what it says. SECONDS of 0: for ever.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#define LEAD "II"
#define GAIN 200.0f       /* counts per millivolt */
#define FRAME_S 0.1
#define IN_FLIGHT_S 10    /* of signal that the monitor has not seen, at the most */
#define HEARTBEAT_S 2.0
#define PATIENCE_S 10.0   /* for an answer that is due */
#define MAX_FRAME 1000    /* samples; the format has room for 4096 */
#define KEPT (1u << 20)   /* samples kept until they are acknowledged: 17 minutes at 1000 Hz */

static int16_t kept[KEPT]; /* sample i lies at i % KEPT */
static uint64_t first;     /* the first one that is kept, */
static uint64_t have;      /* and the one after the last */
static uint64_t end;       /* where the signal ends; 0: never */
static uint64_t stream;
static double rate;
static double began, started; /* by the calendar, and by a clock that nobody sets */
static const char *wearer;

static double clock_s(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A sample: 72 beats a minute, each of five waves (at, millivolts, width). */
static int16_t measure(uint64_t index)
{
    static const double waves[][3] = {{0.20, 0.15, 0.025},
                                      {0.36, -0.10, 0.010},
                                      {0.385, 1.20, 0.011},
                                      {0.41, -0.25, 0.010},
                                      {0.62, 0.30, 0.040}};
    double phase = fmod((double)index / rate * 72 / 60, 1), millivolts = 0;
    for (size_t i = 0; i < sizeof waves / sizeof *waves; i++)
        millivolts += waves[i][1] * exp(-pow((phase - waves[i][0]) / waves[i][2], 2) / 2);
    return (int16_t)lround(GAIN * millivolts);
}

/* Measure what is due by now, and keep it; the oldest are given up where there is no room. */
static void take_samples(void)
{
    uint64_t now = (uint64_t)((clock_s(CLOCK_MONOTONIC) - started) * rate);
    if (end && now > end)
        now = end;
    if (now < have || ((double)(now - have) < FRAME_S * rate && now != end))
        return;
    for (; have < now; have++)
        kept[have % KEPT] = measure(have);
    if (have - first > KEPT)
        first = have - KEPT;
}

static uint8_t *put(uint8_t *at, uint64_t value, int bytes) /* little-endian */
{
    for (int i = 0; i < bytes; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static uint32_t crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    while (size--) {
        crc ^= *data++;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ ((crc & 1) ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void send_frame(void *socket, uint64_t from, uint32_t count)
{
    uint8_t frame[52 + 2 * MAX_FRAME], *at = frame;
    char lead[8] = LEAD; /* the rest is zero bytes */
    float gain = GAIN;
    uint32_t gain_bits;
    memcpy(&gain_bits, &gain, 4);
    memcpy(at, "ECGF\1\0", 6);
    at = put(at + 6, count, 2);
    at = put(at, stream, 8);
    at = put(at, from, 8);
    at = put(at, (uint64_t)((began + (double)from / rate) * 1e9), 8);
    at = put(at, (uint64_t)lround(rate * 1000), 4);
    at = put(at, gain_bits, 4);
    memcpy(at, lead, 8);
    at += 8;
    for (uint32_t i = 0; i < count; i++)
        at = put(at, (uint16_t)kept[(from + i) % KEPT], 2);
    at = put(at, crc32(frame, (size_t)(at - frame)), 4);
    zmq_send(socket, frame, (size_t)(at - frame), ZMQ_DONTWAIT); /* if lost, sent again */
}

static void say(void *socket, const char *type, const char *more)
{
    char text[512];
    int size = snprintf(text, sizeof text, "{\"v\":1,\"type\":\"%s\",\"stream\":\"%016" PRIx64 "\"%s}",
                        type, stream, more);
    if (size > 0 && (size_t)size < sizeof text)
        zmq_send(socket, text, (size_t)size, ZMQ_DONTWAIT);
}

/* The text after a key of the monitor's JSON, which has no spaces; a quote inside of a string is
 * escaped, so that no text can look like a key. */
static const char *value(const char *json, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *found = strstr(json, quoted);
    return found ? found + strlen(quoted) : "";
}

static bool is(const char *json, const char *type)
{
    const char *found = value(json, "type");
    return *found == '"' && !strncmp(found + 1, type, strlen(type)) && found[1 + strlen(type)] == '"';
}

struct ending {
    bool welcomed, finished;
    double retry_s; /* 0: not said */
};

/* Say hello and stream until something ends the conversation. */
static struct ending converse(void *socket)
{
    struct ending how = {false, false, 0};
    char text[256], answer[65536];
    bool bye = false;
    uint64_t sent = 0;
    uint64_t seen = 0; /* what is judged need not be sent, but is kept until acknowledged */
    double heard = clock_s(CLOCK_MONOTONIC), spoke = heard;
    snprintf(text, sizeof text, ",\"wearer\":\"%s\",\"rate\":%.3f,\"leads\":[\"" LEAD "\"]", wearer, rate);
    say(socket, "hello", text);
    for (;;) {
        take_samples();
        zmq_pollitem_t readable = {socket, 0, ZMQ_POLLIN, 0};
        zmq_poll(&readable, 1, (long)(500 * FRAME_S));
        int size; /* ZMQ_MAXMSGSIZE has seen to it that the answer fits */
        while ((size = zmq_recv(socket, answer, sizeof answer - 1, ZMQ_DONTWAIT)) >= 0) {
            answer[size] = 0;
            heard = clock_s(CLOCK_MONOTONIC);
            if (is(answer, "refused")) {
                printf("%s\n", answer);
                how.retry_s = strtod(value(answer, "retry_s"), NULL);
                return how;
            }
            char *rest;
            const char *number = value(answer, "next");
            uint64_t next = strtoull(number, &rest, 10);
            if (rest == number || !(is(answer, "ack") || is(answer, "welcome")))
                continue;
            if (is(answer, "welcome")) {
                printf("welcome, next=%" PRIu64 "\n", next);
                how.welcomed = true;
                sent = next;
            }
            if (next > first)
                first = next;
            if (have < first)
                have = first;
            uint64_t judged = strtoull(value(answer, "seen"), NULL, 10); /* 0 where it is not said */
            if (judged > seen)
                seen = judged;
        }
        double now = clock_s(CLOCK_MONOTONIC);
        if (bye && first >= end) {
            how.finished = true;
            return how;
        }
        if (how.welcomed && !bye && sent <= first)
            heard = now; /* no answer is due */
        else if (now - heard > PATIENCE_S) {
            printf("the monitor does not answer\n");
            return how;
        }
        if (!how.welcomed)
            continue;
        if (seen < first)
            seen = first;
        if (seen > have)
            seen = have;
        if (sent < seen)
            sent = seen;
        while (sent < have && (double)(sent - seen) < IN_FLIGHT_S * rate) {
            uint64_t count = have - sent < MAX_FRAME ? have - sent : MAX_FRAME;
            send_frame(socket, sent, (uint32_t)count);
            sent += count;
            spoke = now;
        }
        if (end && sent == end && !bye) {
            snprintf(text, sizeof text, ",\"end\":%" PRIu64, end);
            say(socket, "bye", text);
            bye = true;
        } else if (now - spoke > HEARTBEAT_S) {
            say(socket, "heartbeat", "");
            spoke = now;
        }
    }
}

/* Use the keys of a file with the lines NAME = "40 characters". */
static bool use_keys(void *socket, const char *path)
{
    static const struct { const char *name; int option; } keys[] = {
        {"server", ZMQ_CURVE_SERVERKEY},
        {"public", ZMQ_CURVE_PUBLICKEY},
        {"secret", ZMQ_CURVE_SECRETKEY}};
    char line[256], name[16], key[41];
    int used = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, " %15[a-z] = \"%40[^\"]\"", name, key) == 2)
            for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
                if (!strcmp(name, keys[i].name))
                    used += !zmq_setsockopt(socket, keys[i].option, key, strlen(key) + 1);
    fclose(file);
    return used == 3;
}

static void set(void *socket, int option, int to)
{
    zmq_setsockopt(socket, option, &to, sizeof to);
}

static bool plain_id(const char *id) /* it goes into JSON as it is */
{
    size_t length = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return length && length <= 64 && !id[length];
}

int main(int argc, char **argv)
{
    rate = argc > 3 ? atof(argv[3]) : 0;
    if (argc < 4 || argc > 6 || !plain_id(argv[2]) || !(rate >= 100 && rate <= 1000)) {
        fprintf(stderr, "usage: %s ENDPOINT WEARER RATE [SECONDS [KEYFILE]]\n", argv[0]);
        return 2;
    }
    wearer = argv[2];
    end = argc > 4 ? (uint64_t)llround(fabs(atof(argv[4])) * rate) : 0;
    FILE *random = fopen("/dev/urandom", "rb");
    if (!random || fread(&stream, sizeof stream, 1, random) != 1) {
        perror("/dev/urandom");
        return 1;
    }
    fclose(random);
    setvbuf(stdout, NULL, _IOLBF, 0);
    began = clock_s(CLOCK_REALTIME);
    started = clock_s(CLOCK_MONOTONIC);
    void *context = zmq_ctx_new();
    double wait = 1;
    for (bool finished = false; !finished;) {
        void *socket = zmq_socket(context, ZMQ_DEALER); /* a new one: nothing old is in it */
        set(socket, ZMQ_LINGER, 0);
        set(socket, ZMQ_HEARTBEAT_IVL, 2000);
        set(socket, ZMQ_HEARTBEAT_TIMEOUT, 6000);
        int64_t longest = 65535;
        zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &longest, sizeof longest);
        if (argc > 5 && !use_keys(socket, argv[5])) {
            fprintf(stderr, "%s holds no keys\n", argv[5]);
            return 1;
        }
        if (zmq_connect(socket, argv[1])) {
            fprintf(stderr, "%s: %s\n", argv[1], zmq_strerror(errno));
            return 1;
        }
        struct ending how = converse(socket);
        zmq_close(socket);
        finished = how.finished;
        if (!finished) {
            wait = how.welcomed ? 1 : fmin(2 * wait, 60);
            double seconds = how.retry_s > 0 ? fmin(how.retry_s, 3600) : wait;
            printf("again in %g s\n", seconds);
            struct timespec pause = {(time_t)seconds, (long)(fmod(seconds, 1) * 1e9)};
            nanosleep(&pause, NULL);
        }
    }
    zmq_ctx_term(context);
    printf("sent %" PRIu64 " samples\n", end);
    return 0;
}
