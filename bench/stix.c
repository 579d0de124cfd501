/* How many objects a second are read and checked: one indicator a document, and envelopes of 100. Beside it the reader
 * alone. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/time.h"
#include "stix/stix.h"

enum { ROUNDS = 5, OBJECTS = 100000 };

static void indicator_put(struct buf *out, unsigned i)
{
    static const char *const patterns[] = {
        "[ipv4-addr:value = '198.51.100.%u']",
        "[domain-name:value = 'host-%u.bad.example']",
        "[file:hashes.'SHA-256' = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b%08x']",
        "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '203.0.113.%u']",
    };
    char pattern[200];

    snprintf(pattern, sizeof(pattern), patterns[i % 4], i % 4 == 2 ? i : i % 250);
    buf_printf(
        out,
        "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--%08x-17d4-4cbf-938f-98ee46b3cd3f\","
        "\"created_by_ref\":\"identity--f431f809-377b-45e0-aa1c-6a4751cae5ff\",\"created\":\"2026-01-02T03:04:05."
        "678Z\","
        "\"modified\":\"2026-01-02T03:04:05.678Z\",\"name\":\"Command and control %u\",\"description\":\"Seen in "
        "outgoing "
        "traffic of several "
        "hosts\",\"indicator_types\":[\"malicious-activity\"],\"pattern\":\"%s\",\"pattern_type\":\"stix\","
        "\"valid_from\":\"2026-01-02T03:04:05Z\",\"object_marking_refs\":[\"marking-definition--34098fce-860f-48ae-"
        "8e50-"
        "ebd3cc5e41da\"]}",
        i, i, pattern);
}

static void envelope_put(struct buf *out, unsigned first, unsigned n)
{
    buf_put(out, SLICE("{\"objects\":["));
    for (unsigned i = 0; i < n; i++) {
        if (i != 0)
            buf_put_byte(out, ',');
        indicator_put(out, first + i);
    }
    buf_put(out, SLICE("]}"));
}

static uint32_t object_check(struct arena *a, struct json v)
{
    struct stix_object o;
    struct stix_report report;

    return stix_object_read(a, v, &o, NULL) != 0 ? 1 : stix_validate(a, &o, STIX_LENIENT, &report);
}

/* Microseconds for all documents of `step` objects each; the best round. */
static int64_t round_best(const struct buf *text, const size_t *ends, size_t n, bool check, uint32_t *refused)
{
    int64_t best = INT64_MAX;
    struct arena a = ARENA_INIT;

    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = time_steady_us();
        for (size_t i = 0; i < n; i++) {
            struct json root, objects;
            bool single;
            size_t from = i == 0 ? 0 : ends[i - 1];
            if (json_parse(&a, slice_n(text->ptr + from, ends[i] - from), &json_limits_default, &root, NULL) != 0)
                (*refused)++;
            else if (check && stix_container(root, &objects, &single, NULL) == 0) {
                if (single)
                    *refused += object_check(&a, root);
                json_each (v, objects) {
                    if (!single)
                        *refused += object_check(&a, v);
                }
            }
            arena_reset(&a);
        }
        int64_t took = time_steady_us() - start;
        best = took < best ? took : best;
    }
    arena_free(&a);
    return best;
}

static void run(const char *name, unsigned step)
{
    struct buf text = BUF_INIT;
    size_t n = OBJECTS / step, *ends = mem_alloc(n * sizeof(*ends));
    uint32_t refused = 0;

    for (size_t i = 0; i < n; i++) {
        if (step == 1)
            indicator_put(&text, (unsigned)i);
        else
            envelope_put(&text, (unsigned)i * step, step);
        ends[i] = text.len;
    }
    int64_t parse = round_best(&text, ends, n, false, &refused), both = round_best(&text, ends, n, true, &refused);
    printf("%-16s %8.0f objects/s read and checked, %8.0f read alone; checking %.2f us an object (%zu bytes); refused "
           "%u\n",
           name, OBJECTS * 1e6 / (double)both, OBJECTS * 1e6 / (double)parse, (double)(both - parse) / OBJECTS,
           text.len / OBJECTS, refused);
    buf_free(&text);
    free(ends);
}

int main(void)
{
    run("one a document", 1);
    run("envelopes of 100", 100);
    return 0;
}
