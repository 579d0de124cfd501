/* bench/check.c: how fast STIX is checked, as `tocsin check` does it: parsed, read, judged by the standard, references
   looked up. Beside it, over the same bytes in the same run: the parser alone, jansson's parser, and memory being read.
   Operands: files; without any, envelopes of our own. Prints MB/s, and ratios, which alone mean something elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/json_peer.h" /* tests/ */
#include "cmd/check.h"
#include "stix/stix.h"

enum { ROUNDS = 7, ROUND_US = 150000, OBJECTS = 20000 };

static struct slice *texts;
static size_t n_texts, n_bytes;
static struct arena arena = ARENA_INIT;
static volatile uint64_t sink;

static void indicator_put(struct buf *out, unsigned i)
{
    static const char *const patterns[] = {
        "[ipv4-addr:value = '198.51.100.%u']",
        "[domain-name:value = 'host-%u.bad.example']",
        "[file:hashes.'SHA-256' = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b%08x']",
        "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.%u']",
    };

    buf_printf(
        out, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--%08x-17d4-4cbf-938f-98ee46b3cd3f\",",
        i);
    buf_put(
        out,
        SLICE("\"created_by_ref\":\"identity--f431f809-377b-45e0-aa1c-6a4751cae5ff\",\"created\":\"2026-01-02T03:04:"
              "05.678Z\",\"modified\":\"2026-01-02T03:04:05.678Z\",\"name\":\"Command and control\",\"description\":"
              "\"Seen in outgoing traffic of several "
              "hosts\",\"indicator_types\":[\"malicious-activity\"],\"pattern\":\""));
    buf_printf(out, patterns[i % 4], i % 4 == 2 ? i : i % 250);
    buf_put(
        out,
        SLICE("\",\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-02T03:04:05Z\",\"object_marking_refs\":[\"marking-"
              "definition--34098fce-860f-48ae-8e50-ebd3cc5e41da\"]}"));
}

static struct slice own_text(void)
{
    struct buf out = BUF_INIT;

    buf_put(&out, SLICE("{\"objects\":["));
    for (unsigned i = 0; i < OBJECTS; i++) {
        if (i != 0)
            buf_put_byte(&out, ',');
        indicator_put(&out, i);
    }
    buf_put(&out, SLICE("]}"));
    return buf_slice(&out);
}

static void read_all(struct slice text)
{
    uint64_t sum = 0, word;

    for (size_t i = 0; i + sizeof word <= text.len; i += sizeof word) {
        memcpy(&word, text.ptr + i, sizeof word);
        sum += word;
    }
    sink = sum;
}

static void parse_ours(struct slice text)
{
    struct json root;

    arena_reset(&arena);
    sink = (uint64_t)json_parse(&arena, text, NULL, &root, NULL);
}

static void parse_theirs(struct slice text)
{
    sink = json_peer_accepts(text, NULL, NULL);
}

static void on_broken(void *arg, const struct err *err)
{
    sink = 1;
}

static int link_check(void *arg, struct json value, struct slice key, struct slice id)
{
    sink = check_ids_have(arg, id);
    return 0;
}

static void object_check(struct arena *a, const struct stix_object *o)
{
    struct stix_upgraded up;
    struct stix_object part;
    struct stix_report report;

    if (!o->is_stix20)
        sink = stix_validate(a, o, STIX_STANDARD | STIX_ERRORS_ONLY, &report);
    else if (stix_upgrade(a, o, &up, NULL) == 0)
        for (uint32_t i = 0; i < up.n; i++)
            if (stix_object_read(a, up.parts[i].json, &part, NULL) == 0)
                sink = stix_validate(a, &part, STIX_STANDARD | STIX_ERRORS_ONLY, &report);
}

static void on_container(void *arg, struct arena *a, struct json root, struct json objects, bool single)
{
    struct check_ids *ids = check_ids_make(a, objects);
    struct arena scratch = ARENA_INIT;

    json_each (v, objects) {
        struct stix_object o;
        if (stix_object_read(&scratch, v, &o, NULL) != 0)
            continue;
        object_check(&scratch, &o);
        stix_each_reference(&scratch, &o, link_check, ids);
        arena_reset(&scratch);
    }
    arena_free(&scratch);
}

static void check(struct slice text)
{
    static const struct check_reader reader = {NULL, on_container, on_broken};

    check_text(&reader, text);
}

/* Of this thread alone: neighbours on the machine cost others their time. */
static int64_t cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The best of some rounds, MB/s of processor time. */
static double speed(void (*work)(struct slice text))
{
    double best = 0;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = cpu_us(), took = 0;
        unsigned times = 0;
        for (; took < ROUND_US; times++) {
            for (size_t i = 0; i < n_texts; i++)
                work(texts[i]);
            took = cpu_us() - start;
        }
        double mb_s = (double)n_bytes * times / (double)took;
        best = mb_s > best ? mb_s : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    struct arena files = ARENA_INIT;

    n_texts = argc > 1 ? (size_t)argc - 1 : 1;
    texts = mem_zero(n_texts, sizeof *texts);
    texts[0] = argc > 1 ? (struct slice){NULL, 0} : own_text();
    for (int i = 1; i < argc; i++) {
        struct err err = ERR_INIT;
        if (file_read(&files, argv[i], CHECK_BYTES_MAX, &texts[i - 1], &err) != 0) {
            fprintf(stderr, "%s: %s\n", err.place, err.text);
            return 1;
        }
    }
    for (size_t i = 0; i < n_texts; i++)
        n_bytes += texts[i].len;
    double read = speed(read_all), parse = speed(parse_ours), peer = speed(parse_theirs), all = speed(check);
    printf("check: %.0f MB/s over %.1f MB; the parser alone %.0f, jansson's parser %.0f, memory read %.0f\n", all,
           (double)n_bytes / 1e6, parse, peer, read);
    printf("check: %.2f of the parser alone, %.2f of jansson's parser\n", all / parse, all / peer);
    return 0;
}
