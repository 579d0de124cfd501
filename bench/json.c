/* bench/json.c: our JSON reader against jansson in one process, on a STIX-like document, or on the file given as
   argument. Prints MB/s of both and their ratio: only the ratio means something on another machine. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "base/json_peer.h" /* tests/ */

enum { OBJECTS = 4000, ROUNDS = 7, ROUND_US = 60000 };

static const struct json_limits limits = {64, UINT32_MAX, UINT32_MAX, UINT32_MAX, SIZE_MAX};

/* An envelope as members send it; every tenth object is a report with a long description and some text that is not
 * ASCII. */
static void put_envelope(struct buf *out)
{
    json_put_open(out, '{');
    json_put_key(out, SLICE("objects"));
    json_put_open(out, '[');
    for (uint32_t i = 0; i < OBJECTS; i++) {
        bool report = i % 10 == 9;
        json_put_open(out, '{');
        json_put_text(out, "type", report ? SLICE("report") : SLICE("indicator"));
        json_put_text(out, "spec_version", SLICE("2.1"));
        json_put_key(out, SLICE("id"));
        buf_printf(out, "\"%s--%08x-17d4-4cbf-938f-98ee46b3cd3f\"", report ? "report" : "indicator", i * 2654435761u);
        json_put_text(out, "created_by_ref", SLICE("identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"));
        json_put_text(out, "created", SLICE("2026-11-22T12:00:00.000000Z"));
        json_put_text(out, "modified", SLICE("2026-11-22T12:00:00.000000Z"));
        json_put_text(out, "name",
                      report ? SLICE("\xd7\x93\xd7\x95\xd7\x97 \xe2\x82\xac") : SLICE("Known bad address"));
        json_put_text(
            out, "description",
            report
                ? SLICE("Seen since spring at several members.\nIt begins with a mail that looks like an \"invoice\", "
                        "fetches a second stage from a host that changes daily, and moves on by stolen passwords. "
                        "The addresses below were confirmed by two members.")
                : SLICE("Command and control"));
        if (!report) {
            json_put_key(out, SLICE("pattern"));
            buf_printf(out, "\"[ipv4-addr:value = '198.51.100.%u' OR domain-name:value = 'h%u.bad.example']\"", i % 256,
                       i);
            json_put_text(out, "pattern_type", SLICE("stix"));
            json_put_text(out, "valid_from", SLICE("2026-11-22T12:00:00Z"));
            json_put_number(out, "confidence", i % 101);
        }
        json_put_key(out, SLICE("labels"));
        json_put_open(out, '[');
        json_put_string(out, SLICE("malicious-activity"));
        json_put_string(out, SLICE("c2"));
        json_put_close(out, ']');
        json_put_key(out, SLICE("object_marking_refs"));
        json_put_open(out, '[');
        json_put_string(out, SLICE("marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"));
        json_put_close(out, ']');
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    json_put_close(out, '}');
}

static struct arena arena = ARENA_INIT;

static bool parse_ours(struct slice text)
{
    struct json root;

    arena_reset(&arena);
    return json_parse(&arena, text, &limits, &root, NULL) == 0;
}

static bool parse_theirs(struct slice text)
{
    return json_peer_accepts(text, NULL, NULL);
}

static double round_mb_s(bool (*parse)(struct slice text), struct slice text)
{
    int64_t start = time_steady_us(), now;
    double bytes = 0;

    do {
        if (!parse(text)) {
            fputs("refused\n", stderr);
            exit(1);
        }
        bytes += (double)text.len;
        now = time_steady_us();
    } while (now - start < ROUND_US);
    return bytes / (double)(now - start);
}

static int compare(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : 1;
}

/* Rounds of both take turns, so that both meet the same neighbours; medians. */
static void compare_both(const char *what, struct slice text)
{
    double ours[ROUNDS], theirs[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = round_mb_s(parse_ours, text);
        theirs[i] = round_mb_s(parse_theirs, text);
    }
    qsort(ours, ROUNDS, sizeof ours[0], compare);
    qsort(theirs, ROUNDS, sizeof theirs[0], compare);
    printf("json: %s, %.1f MB: ours %.0f MB/s, jansson %.0f MB/s, ratio %.1f\n", what, (double)text.len / 1e6,
           ours[ROUNDS / 2], theirs[ROUNDS / 2], ours[ROUNDS / 2] / theirs[ROUNDS / 2]);
}

int main(int argc, char **argv)
{
    struct buf envelope = BUF_INIT;
    struct err err = ERR_INIT;
    struct slice text;

    put_envelope(&envelope);
    compare_both("envelope", buf_slice(&envelope));
    struct slice objects = slice_from(buf_slice(&envelope), sizeof "{\"objects\":[" - 1);
    compare_both("one object", slice_to(objects, slice_find(objects, SLICE(",{"))));
    for (int i = 1; i < argc; i++) {
        if (file_map(argv[i], &text, &err) != 0) {
            fprintf(stderr, "%s: %s\n", err.place, err.text);
            return 1;
        }
        compare_both(argv[i], text);
        file_unmap(&text);
    }
    buf_free(&envelope);
    arena_free(&arena);
    return 0;
}
