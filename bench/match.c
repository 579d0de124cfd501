/* Lookups in the index beside a plain open-addressing table with the same hash and the same queries; generated
   telemetry beside what reading its JSON alone costs. Prints ratios: figures of one run on one machine. */
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "match/internal.h"

enum { QUERIES = 1 << 16, EVE_LINES = 40000 };

static uint64_t random_state = 88172645463325252u;

static uint64_t random_next(void) /* xorshift64 */
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static struct slice address(char *to, uint32_t n)
{
    char *at = to;

    for (int shift = 24; shift >= 0; shift -= 8) {
        uint32_t byte = n >> shift & 255;
        if (byte >= 100)
            *at++ = (char)('0' + byte / 100);
        if (byte >= 10)
            *at++ = (char)('0' + byte / 10 % 10);
        *at++ = (char)('0' + byte % 10);
        *at++ = '.';
    }
    return slice_n(to, (size_t)(at - 1 - to));
}

/* The baseline: 64 bits of the hash and a number a slot, linear probing, at most two thirds full. */
struct plain {
    uint64_t *hashes;
    uint32_t *ids;
    size_t n_slots;
};

static size_t plain_slot(const struct plain *t, uint64_t hash)
{
    size_t at = (size_t)((unsigned __int128)hash * t->n_slots >> 64);

    while (t->hashes[at] != 0 && t->hashes[at] != hash)
        at = at + 1 < t->n_slots ? at + 1 : 0;
    return at;
}

struct figures {
    double index, bracketed, plain, add_ns, bytes;
};

static void count(void *arg, const struct match_hit *hit)
{
    (*(uint64_t *)arg)++;
}

static double per_second(uint64_t n, int64_t us)
{
    return (double)n / (double)(us != 0 ? us : 1); /* millions */
}

static void run_lookups(struct match_index *ix, const struct plain *plain, struct figures *out)
{
    static char text[QUERIES][16];
    static struct slice queries[QUERIES];
    struct match_reader *r = match_reader_new(ix);
    int64_t single_us = 0, bracket_us = 0, plain_us = 0;
    uint64_t n = 0, hits = 0, plain_hits = 0;

    while (single_us + bracket_us + plain_us < 1500000) {
        for (size_t i = 0; i < QUERIES; i++)
            queries[i] = address(text[i], (uint32_t)random_next());
        int64_t start = time_steady_us();
        for (size_t i = 0; i < QUERIES; i++)
            match_value(r, STIX_VALUE_IPV4, queries[i], queries[i], SLICE("bench"), count, &hits);
        single_us += time_steady_us() - start;
        for (size_t i = 0; i < QUERIES; i++)
            queries[i] = address(text[i], (uint32_t)random_next());
        start = time_steady_us();
        match_reader_enter(r);
        for (size_t i = 0; i < QUERIES; i++)
            match_value(r, STIX_VALUE_IPV4, queries[i], queries[i], SLICE("bench"), count, &hits);
        match_reader_leave(r);
        bracket_us += time_steady_us() - start;
        for (size_t i = 0; i < QUERIES; i++)
            queries[i] = address(text[i], (uint32_t)random_next());
        start = time_steady_us();
        for (size_t i = 0; i < QUERIES; i++)
            plain_hits += plain->hashes[plain_slot(plain, match_hash(&ix->keys[STIX_VALUE_IPV4], queries[i]))] != 0;
        plain_us += time_steady_us() - start;
        n += QUERIES;
    }
    out->index = per_second(n, single_us);
    out->bracketed = per_second(n, bracket_us);
    out->plain = per_second(n, plain_us);
    if (hits == 0 || plain_hits == 0)
        abort();
    match_reader_free(&r);
}

static struct match_index *build(size_t n, struct plain *plain, struct figures *out)
{
    struct match_index *ix = match_index_new(n);
    char text[16];

    plain->n_slots = n + n / 2;
    plain->hashes = mem_zero(plain->n_slots, sizeof *plain->hashes);
    plain->ids = mem_zero(plain->n_slots, sizeof *plain->ids);
    int64_t start = time_steady_us();
    for (size_t i = 0; i < n; i++)
        match_index_add(ix, i, STIX_VALUE_IPV4, address(text, (uint32_t)(i * 2654435761u)), NULL);
    out->add_ns = (double)(time_steady_us() - start) * 1000 / (double)n;
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = match_hash(&ix->keys[STIX_VALUE_IPV4], address(text, (uint32_t)(i * 2654435761u)));
        size_t at = plain_slot(plain, hash);
        plain->hashes[at] = hash;
        plain->ids[at] = (uint32_t)i;
    }
    struct table *t = atomic_load(&ix->table);
    out->bytes = (double)t->n_buckets * sizeof(struct bucket) / (double)n;
    return ix;
}

static void bench_index(size_t n)
{
    struct figures f;
    struct plain plain;
    struct match_index *ix = build(n, &plain, &f);

    run_lookups(ix, &plain, &f);
    printf("match index %zu M values: %.1f M lookups/s (one by one %.1f), plain table %.1f: ratio %.1f; hot %.1f B a "
           "value against 12; "
           "add %.0f ns\n",
           n / 1000000, f.bracketed, f.index, f.plain, f.bracketed / f.plain, f.bytes, f.add_ns);
    match_index_free(&ix);
    free(plain.hashes);
    free(plain.ids);
}

/* Lines as Suricata 7 writes them, about 600 bytes; one in a thousand names something known. */
static void put_eve(struct buf *out, uint32_t i)
{
    char source[16], target[16];
    struct slice from = address(source, (uint32_t)random_next()), to = address(target, (uint32_t)random_next());
    uint64_t name = random_next() % 1000000;

    buf_printf(out,
               "{\"timestamp\":\"2026-11-22T12:00:%02u.%06u+0000\",\"flow_id\":%llu,\"in_iface\":\"eth0\",\"event_"
               "type\":\"%s\",\"src_ip\":"
               "\"" SLICE_FMT "\",\"src_port\":%u,\"dest_ip\":\"" SLICE_FMT
               "\",\"dest_port\":443,\"proto\":\"TCP\",\"pkt_src\":\"wire/pcap\",",
               i / 1000 % 60, i % 1000000, (unsigned long long)random_next(),
               i % 3 == 0   ? "dns"
               : i % 3 == 1 ? "http"
                            : "tls",
               SLICE_ARG(from), 1024 + i % 60000, SLICE_ARG(to));
    if (i % 3 == 0)
        buf_printf(out,
                   "\"dns\":{\"version\":2,\"type\":\"answer\",\"id\":%u,\"flags\":\"8180\",\"qr\":true,\"rd\":true,"
                   "\"ra\":true,\"rrname\":\"www.n%llu.%s"
                   ".example\",\"rrtype\":\"A\",\"rcode\":\"NOERROR\",\"answers\":[{\"rrname\":\"www.n%llu.example\","
                   "\"rrtype\":\"A\",\"ttl\":300,"
                   "\"rdata\":\"" SLICE_FMT "\"}],\"grouped\":{\"A\":[\"" SLICE_FMT "\"]}},",
                   i % 65536, (unsigned long long)name, i % 1000 == 0 ? "bad" : "good", (unsigned long long)name,
                   SLICE_ARG(to), SLICE_ARG(to));
    else if (i % 3 == 1)
        buf_printf(out,
                   "\"http\":{\"hostname\":\"cdn.n%llu.example\",\"url\":\"/static/"
                   "app.js?v=%u\",\"http_user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) "
                   "Gecko/20100101\",\"http_content_type\":\"text/"
                   "javascript\",\"http_method\":\"GET\",\"protocol\":\"HTTP/1.1\",\"status\":200,\"length\":%u},",
                   (unsigned long long)name, i, i);
    else
        buf_printf(out,
                   "\"tls\":{\"subject\":\"CN=*.n%llu.example\",\"issuerdn\":\"C=XX, O=Test, CN=Test CA "
                   "1\",\"serial\":\"0A:01:41:42\",\"sni\":"
                   "\"api.n%llu.example\",\"version\":\"TLS "
                   "1.3\",\"notbefore\":\"2026-01-01T00:00:00\",\"notafter\":\"2027-01-01T00:00:00\"},",
                   (unsigned long long)name, (unsigned long long)name);
    buf_printf(
        out,
        "\"flow\":{\"pkts_toserver\":%u,\"pkts_toclient\":%u,\"bytes_toserver\":%u,\"bytes_toclient\":%u,\"start\":"
        "\"2026-11-22T12:00:00.000000+0000\"},\"host\":\"sensor-1\"}\n",
        i % 100, i % 90, i * 7 % 100000, i * 13 % 1000000);
}

static void count_line(void *arg, const struct match_line *line, const struct match_hit *hit)
{
}

static void bench_lines(size_t indicators)
{
    struct match_index *ix = match_index_new(indicators);
    struct match_reader *r = match_reader_new(ix);
    struct buf text = BUF_INIT;
    char name[64];
    int64_t us[3] = {0, 0, 0};
    uint64_t rounds = 0;
    struct match_stats eve = {0}, plain = {0};
    struct arena a = ARENA_INIT;

    for (size_t i = 0; i < indicators; i++)
        match_index_add(ix, i, STIX_VALUE_DOMAIN,
                        slice_n(name, (size_t)snprintf(name, sizeof name, "n%zu.bad.example", i)), NULL);
    for (uint32_t i = 0; i < EVE_LINES; i++)
        put_eve(&text, i);
    for (; us[0] + us[1] + us[2] < 3000000; rounds++) {
        int64_t start = time_steady_us();
        match_lines(r, match_format_find(SLICE("eve")), buf_slice(&text), count_line, NULL, &eve);
        us[0] += time_steady_us() - start;
        start = time_steady_us();
        match_lines(r, match_format_find(SLICE("lines")), buf_slice(&text), count_line, NULL, &plain);
        us[1] += time_steady_us() - start;
        struct slice rest = buf_slice(&text), line;
        struct json root;
        start = time_steady_us();
        while (slice_cut(&rest, '\n', &line)) {
            json_parse(&a, line, &json_limits_default, &root, NULL);
            arena_reset(&a);
        }
        us[2] += time_steady_us() - start;
    }
    double mb = (double)text.len * (double)rounds;
    printf("match lines, %zu M indicators, %zu B a line, %.1f values a line: EVE %.0f MB/s, %.2f M lines/s; as plain "
           "text %.0f MB/s; JSON reading "
           "alone %.0f MB/s: ratio %.2f\n",
           indicators / 1000000, text.len / EVE_LINES, (double)eve.values / (double)eve.lines, mb / (double)us[0],
           per_second(eve.lines, us[0]), mb / (double)us[1], mb / (double)us[2], (double)us[2] / (double)us[0]);
    if (eve.hits == 0 || eve.bad_lines != 0)
        abort();
    arena_free(&a);
    buf_free(&text);
    match_reader_free(&r);
    match_index_free(&ix);
}

int main(void)
{

    bench_index(1000000);

    bench_index(10000000);
    bench_lines(1000000);
    return 0;
}
