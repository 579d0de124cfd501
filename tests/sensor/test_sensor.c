/* A whole sensor beside a hub of a few functions (the server side of taxii/). */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/time.h"
#include "keys/keys.h"
#include "sensor/internal.h"

struct taxii_who {
    int nothing;
};

struct world {
    /* the hub */
    pthread_mutex_t lock;
    struct http_server *http;
    struct taxii_server *taxii;
    int fd;
    uint16_t port;
    struct slice objects[8]; /* of the pages, two on each */
    size_t n_objects;
    struct buf first_events; /* what a new stream is given */
    struct http_stream *stream, *ended[16];
    size_t n_ended;
    struct buf posted, last_event_id;
    uint32_t streams, posts, pages;
    bool refuse_cursor, refuse_receipts;
    struct buf receipt, follower;
    uint32_t receipts;
    /* the member */
    char dir[32], state[48], eve[48], list[48], nft[48], client[48], never[48];
    struct arena arena;
    struct sensor_settings settings;
    struct sensor *sensor;
};

/* ---- the hub ---- */

static int sign_in(void *hub, struct taxii_reply *reply, struct taxii_who **who_out, struct err *err)
{
    *who_out = mem_zero(1, sizeof **who_out);
    return 0;
}

static void sign_out(void *hub, struct taxii_who **who)
{
    free(*who);
    *who = NULL;
}

static uint64_t max_body(void *hub, struct taxii_who *who)
{
    return 1 << 20;
}

static void describe(void *hub, struct taxii_who *who, enum taxii_describe what, struct taxii_reply *reply)
{
    taxii_reply_json(reply, 200, buf_ref_copy(SLICE("{\"collections\":[]}")));
}

static void page(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    struct world *w = hub;
    struct buf b = BUF_INIT;
    uint64_t from = 0;

    pthread_mutex_lock(&w->lock);
    w->pages++;
    slice_u64(taxii_reply_want(reply)->next, &from);
    json_put_open(&b, '{');
    json_put_key(&b, SLICE("objects"));
    json_put_open(&b, '[');
    for (uint64_t i = from; i < w->n_objects && i < from + 2; i++)
        json_put_raw(&b, w->objects[i]);
    json_put_close(&b, ']');
    if (from + 2 < w->n_objects) {
        json_put_key(&b, SLICE("more"));
        json_put_bool(&b, true);
        json_put_number(&b, "next", (int64_t)from + 2);
    }
    json_put_close(&b, '}');
    pthread_mutex_unlock(&w->lock);
    taxii_reply_page(reply, buf_ref_take(&b), 0, 0);
}

static void add(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    struct world *w = hub;

    pthread_mutex_lock(&w->lock);
    buf_clear(&w->posted);
    buf_put(&w->posted, taxii_reply_body(reply));
    w->posts++;
    pthread_mutex_unlock(&w->lock);
    taxii_reply_json(reply, 202, buf_ref_copy(SLICE("{\"id\":\"s\",\"status\":\"complete\"}")));
}

static void remove_object(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    taxii_reply_json(reply, 200, NULL);
}

static void follow(void *hub, struct taxii_who *who, struct slice last_event_id, struct taxii_reply *reply)
{
    struct world *w = hub;
    struct http_stream_events events = {.arg = w};
    struct err err = ERR_INIT;

    pthread_mutex_lock(&w->lock);
    bool refused = w->refuse_cursor && last_event_id.len != 0;
    buf_clear(&w->last_event_id);
    buf_put(&w->last_event_id, last_event_id);
    struct buf_ref *first = buf_ref_copy(buf_slice(&w->first_events));
    w->streams++;
    pthread_mutex_unlock(&w->lock);
    if (refused) {
        buf_ref_drop(&first);
        err_set(&err, ERR_QUERY_FILTER, "Last-Event-ID", "this is no event id that this hub gave");
        taxii_reply_error(reply, &err);
        return;
    }
    struct http_stream *s = http_stream_open(taxii_reply_stream(reply), SLICE("text/event-stream"), 1 << 20, &events);
    http_stream_send(s, buf_ref_copy(SLICE("retry: 100\n: hello\n\n")));
    http_stream_send(s, first);
    pthread_mutex_lock(&w->lock);
    if (w->stream != NULL)
        http_stream_release(w->stream);
    w->stream = s;
    pthread_mutex_unlock(&w->lock);
}

static void confirm(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    struct world *w = hub;
    struct slice name = http_head_get(taxii_reply_head(reply), SLICE(TAXII_FOLLOWER_HEADER));

    pthread_mutex_lock(&w->lock);
    buf_clear(&w->receipt);
    buf_put(&w->receipt, taxii_reply_body(reply));
    buf_clear(&w->follower);
    buf_put(&w->follower, name.ptr != NULL ? name : SLICE(""));
    w->receipts++;
    bool refuse = w->refuse_receipts;
    pthread_mutex_unlock(&w->lock);
    taxii_reply_json(reply, refuse ? 500 : 200, buf_ref_copy(SLICE("{}")));
}

static const struct taxii_backend backend = {sign_in, describe, page,     add,    remove_object,
                                             follow,  sign_out, max_body, confirm};

static void hub_start(struct world *w)
{
    struct http_server_conf conf = http_server_conf_default;
    struct err err = ERR_INIT;
    struct slice address = arena_printf(&w->arena, "127.0.0.1:%u", w->port);

    if (http_listen(address, 64, &w->fd, &w->port, &err) != 0)
        fail_msg("%s", err.text);
    w->taxii = taxii_server_new(&backend, w, SLICE("api"));
    conf.listen_fd = w->fd;
    assert_int_equal(http_server_start(&conf, taxii_server_handler(w->taxii), &w->http, &err), 0);
}

static void hub_stop(struct world *w)
{
    http_server_stop(&w->http);
    taxii_server_free(&w->taxii);
    close(w->fd);
    pthread_mutex_lock(&w->lock);
    if (w->stream != NULL)
        http_stream_release(w->stream);
    w->stream = NULL;
    pthread_mutex_unlock(&w->lock);
}

static struct slice indicator(struct world *w, char id, const char *pattern, const char *more)
{
    return arena_printf(&w->arena,
                        "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-8000-"
                        "00000000000%c\",\"created\":"
                        "\"2026-11-22T11:00:00.000Z\",\"modified\":\"2026-11-22T11:00:00.000Z\",\"pattern\":\"%s\","
                        "\"pattern_type\":\"stix\","
                        "\"valid_from\":\"2026-11-22T11:00:00Z\"%s}",
                        id, pattern, more);
}

static struct slice event(struct world *w, const char *type, unsigned n, struct slice object)
{
    return arena_printf(&w->arena,
                        "id: e%u\nevent: %s\ndata: "
                        "{\"date_added\":\"2026-11-22T12:00:%02u.000000Z\",\"origin\":\"north\",\"object\":" SLICE_FMT
                        "}\n\n",
                        n, type, n, SLICE_ARG(object));
}

static void say(struct world *w, struct slice text)
{
    pthread_mutex_lock(&w->lock);
    assert_true(http_stream_send(w->stream, buf_ref_copy(text)));
    pthread_mutex_unlock(&w->lock);
}

/* ---- the member ---- */

static void put_file(const char *path, const char *text, const char *mode)
{
    FILE *f = fopen(path, mode);

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void world_open(struct world *w)
{
    char yaml[200];

    memset(w, 0, sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    snprintf(w->dir, sizeof w->dir, "/tmp/tocsin-sensor-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->state, sizeof w->state, "%s/state", w->dir);
    snprintf(w->eve, sizeof w->eve, "%s/eve.json", w->dir);
    snprintf(w->list, sizeof w->list, "%s/list", w->dir);
    snprintf(w->nft, sizeof w->nft, "%s/nft", w->dir);
    snprintf(w->client, sizeof w->client, "%s/client.yaml", w->dir);
    snprintf(w->never, sizeof w->never, "%s/never", w->dir);
    hub_start(w);
    snprintf(yaml, sizeof yaml, "url: http://127.0.0.1:%u\nroot: api\ncollection: c\n", w->port);
    put_file(w->client, yaml, "w");
    put_file(w->eve, "", "w");
    put_file(w->never, "hospital.example\n", "w");
    struct slice *inputs = arena_array(&w->arena, struct slice, 1);
    inputs[0] = slice_of(w->eve);
    w->settings = (struct sensor_settings){.client = slice_of(w->client),
                                           .state = slice_of(w->state),
                                           .inputs = {inputs, 1},
                                           .format = SLICE("eve"),
                                           .mode = SLICE("block"),
                                           .report_own = SLICE("full"),
                                           .report_partners = SLICE("none"),
                                           .report_every_us = 3600000000,
                                           .lease_us = INT64_C(86400000000),
                                           .never_block = slice_of(w->never),
                                           .export_nft = slice_of(w->nft),
                                           .export_list = slice_of(w->list),
                                           .max_entries = 1000,
                                           .max_new_per_minute = 1000};
}

static void sensor_up(struct world *w)
{
    struct err err = ERR_INIT;

    if (sensor_start(&w->settings, &w->sensor, &err) != 0)
        fail_msg("%s %s", err.place, err.text);
}

static void world_close(struct world *w)
{
    char command[64];

    if (w->sensor != NULL)
        sensor_stop(&w->sensor);
    if (w->http != NULL)
        hub_stop(w);
    buf_free(&w->first_events);
    buf_free(&w->posted);
    buf_free(&w->last_event_id);
    buf_free(&w->receipt);
    buf_free(&w->follower);
    arena_free(&w->arena);
    pthread_mutex_destroy(&w->lock);
    snprintf(command, sizeof command, "rm -r %s", w->dir);
    assert_int_equal(system(command), 0);
}

/* The blocked values, each followed by a blank; "-" when the file is not there. */
static struct slice listed(struct world *w)
{
    struct slice text, line;
    struct buf out = BUF_INIT;

    if (file_read(&w->arena, w->list, 1 << 20, &text, NULL) != 0)
        return SLICE("-");
    while (slice_cut(&text, '\n', &line))
        if (line.len != 0 && line.ptr[0] != '#')
            buf_printf(&out, SLICE_FMT " ", SLICE_ARG(line));
    struct slice result = arena_copy(&w->arena, buf_slice(&out));
    buf_free(&out);
    return result;
}

#define WAIT_FOR(condition)                                                                                            \
    do {                                                                                                               \
        int64_t until_ = time_steady_us() + 20 * 1000000;                                                              \
        while (!(condition) && time_steady_us() < until_)                                                              \
            usleep(2000);                                                                                              \
        assert_true(condition);                                                                                        \
    } while (0)

static bool has_posted(struct world *w, const char *text)
{
    pthread_mutex_lock(&w->lock);
    bool found = slice_find(buf_slice(&w->posted), slice_of(text)) < w->posted.len;
    pthread_mutex_unlock(&w->lock);
    return found;
}

static uint32_t streams(struct world *w)
{
    pthread_mutex_lock(&w->lock);
    uint32_t n = w->stream != NULL || w->refuse_cursor ? w->streams : 0;
    pthread_mutex_unlock(&w->lock);
    return n;
}

static bool live_has(struct world *w, const char *line)
{
    struct slice text, path = arena_printf(&w->arena, "%s/live.txt", w->state);

    sensor_write_live(w->sensor);
    return file_read(&w->arena, path.ptr, 1 << 20, &text, NULL) == 0 && slice_find(text, slice_of(line)) < text.len;
}

static void three_indicators(struct world *w)
{
    w->objects[w->n_objects++] = indicator(w, 'a', "[domain-name:value = 'a.example']", "");
    w->objects[w->n_objects++] = indicator(w, 'b', "[domain-name:value = 'hospital.example']", "");
    w->objects[w->n_objects++] = indicator(w, 'c', "[ipv4-addr:value = '10.0.0.53']", "");
}

static void test_sensor_sensor__from_snapshot_to_sighting(void **state)
{
    struct world w;

    world_open(&w);
    three_indicators(&w);
    sensor_up(&w);
    WAIT_FOR(slice_eq(listed(&w), SLICE("a.example ")));
    assert_true(live_has(&w, "domain-name\thospital.example\n"));
    assert_true(live_has(&w, "ipv4-addr\t10.0.0.53\n"));
    WAIT_FOR(streams(&w) == 1);
    say(&w, event(&w, "add", 1,
                  indicator(&w, 'd', "[domain-name:value = 'd.example' OR domain-name:value = 'e.example']", "")));
    WAIT_FOR(slice_eq(listed(&w), SLICE("a.example d.example e.example ")));
    put_file(w.eve, "{\"timestamp\":\"2026-11-22T12:00:00.000000+0000\",\"dns\":{\"rrname\":\"www.e.example\"}}\n",
             "a");
    WAIT_FOR(has_posted(&w, "\"sighting_of_ref\":\"indicator--00000000-0000-4000-8000-00000000000d\""));
    put_file(w.eve, "{\"src_ip\":\"10.0.0.53\"}\n{\"tls\":{\"sni\":\"hospital.example\"}}\n",
             "a"); /* brakes stop blocks, not alerts */
    WAIT_FOR(has_posted(&w, "00000000000c\"") || has_posted(&w, "00000000000b\""));
    say(&w, event(&w, "retract", 2, indicator(&w, 'd', "[domain-name:value = 'd.example']", ",\"revoked\":true")));
    WAIT_FOR(slice_eq(listed(&w), SLICE("a.example ")));
    assert_false(live_has(&w, "e.example"));
    world_close(&w);
}

static void test_sensor_sensor__without_its_hub(void **state)
{
    struct world w;
    uint64_t released;
    struct err err = ERR_INIT;

    world_open(&w);
    three_indicators(&w);
    sensor_up(&w);
    WAIT_FOR(streams(&w) == 1);
    say(&w, event(&w, "add", 1, indicator(&w, 'd', "[domain-name:value = 'd.example']", "")));
    WAIT_FOR(slice_eq(listed(&w), SLICE("a.example d.example ")));
    sensor_stop(&w.sensor);
    hub_stop(&w);
    unlink(w.list);
    sensor_up(&w); /* it protects with what it had */
    WAIT_FOR(slice_eq(listed(&w), SLICE("a.example d.example ")));
    assert_true(live_has(&w, "domain-name\td.example\n"));
    /* Another process releases what came from the north; the running sensor follows. */
    assert_int_equal(sensor_release(&w.settings, SLICE("north"), 0, &released, &err), 0);
    assert_int_equal(released, 1);
    WAIT_FOR(slice_eq(listed(&w), SLICE("a.example ")));
    assert_true(live_has(&w, "domain-name\td.example\n")); /* and still looks for it */
    sensor_stop(&w.sensor);
    /* With no sensor. */
    assert_int_equal(sensor_release(&w.settings, SLICE(""), 0, &released, &err), 0);
    assert_int_equal(released, 1);
    assert_slice(listed(&w), "");
    /* The hub is back: it goes on from its cursor, and what was released stays out. */
    hub_start(&w);
    sensor_up(&w);
    WAIT_FOR(streams(&w) == 2);
    assert_slice(buf_slice(&w.last_event_id), "e1");
    say(&w, event(&w, "add", 3, indicator(&w, 'f', "[domain-name:value = 'f.example']", "")));
    WAIT_FOR(slice_eq(listed(&w), SLICE("f.example ")));
    assert_int_equal(w.pages, 2); /* the snapshot was taken once */
    world_close(&w);
}

/* Another hub's data, a hub restored without its past: the cursor means nothing there. */
static void test_sensor_sensor__cursor_refused(void **state)
{
    struct world w;

    world_open(&w);
    three_indicators(&w);
    buf_put(&w.first_events, event(&w, "add", 1, indicator(&w, 'd', "[domain-name:value = 'd.example']", "")));
    sensor_up(&w);
    WAIT_FOR(slice_eq(listed(&w), SLICE("a.example d.example ")));
    sensor_stop(&w.sensor);
    hub_stop(&w);
    buf_clear(&w.first_events);
    w.n_objects = 2; /* c is not there any more, nor is d */
    w.refuse_cursor = true;
    hub_start(&w);
    sensor_up(&w);
    WAIT_FOR(slice_eq(listed(&w), SLICE("a.example ")));
    assert_false(live_has(&w, "10.0.0.53"));
    assert_true(live_has(&w, "hospital.example"));
    world_close(&w);
}

static void test_sensor_sensor__refuses_to_start(void **state)
{
    struct world w;
    struct err err = ERR_INIT;
    struct sensor *other = NULL;

    world_open(&w);
    sensor_up(&w);
    assert_int_equal(sensor_start(&w.settings, &other, &err), -1); /* one sensor a directory */
    assert_int_equal(err.code, ERR_BUSY);
    assert_null(other);
    sensor_stop(&w.sensor);
    put_file(w.never, "no value\n", "w");
    assert_int_equal(sensor_start(&w.settings, &other, &err), -1);
    assert_int_equal(err.code, ERR_CONF_VALUE);
    put_file(w.never, "", "w");
    put_file(w.client, "user: x\n", "w");
    assert_int_equal(sensor_start(&w.settings, &other, &err), -1);
    unlink(w.client);
    assert_int_equal(sensor_start(&w.settings, &other, &err), -1);
    world_close(&w);
}

static void test_sensor_sensor__settings(void **state)
{
    static const struct {
        const char *yaml;
        bool good;
    } rows[] = {
        {"client: c.yaml\nstate: s\n", true},
        {"client: c.yaml\nstate: s\nmode: block\nformat: eve\nreport_own: none\nreport_partners: aggregate\ninputs:\n  "
         "- a\n  - b\n",
         true},
        {"client: c.yaml\n", false},
        {"client: c.yaml\nstate: s\nmode: destroy\n", false},
        {"client: c.yaml\nstate: s\nformat: xml\n", false},
        {"client: c.yaml\nstate: s\nreport_own: all\n", false},
        {"client: c.yaml\nstate: s\nreport_partners: full\n", false}, /* partners only ever get a band */
        {"client: c.yaml\nstate: s\nlease: 1s\n", false},
        {"client: c.yaml\nstate: s\nmin_confidence: 101\n", false},
    };
    char path[] = "/tmp/tocsin-settings-XXXXXX";

    close(mkstemp(path));
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct sensor_settings s;
        struct err err = ERR_INIT;
        put_file(path, rows[i].yaml, "w");
        bool good = sensor_settings_read(&a, path, &s, &err) == 0;
        if (good != rows[i].good)
            fail_row(i, "%s", good ? "accepted" : err.text);
        if (i == 0) {
            assert_slice(s.mode, "alert");
            assert_slice(s.report_own, "aggregate");
            assert_slice(s.report_partners, "none");
            assert_int_equal(s.lease_us, INT64_C(86400000000));
            assert_int_equal(s.inputs.n, 0);
        }
        arena_free(&a);
    }
    unlink(path);
}

#define RECEIPT_SEED "0101010101010101010101010101010101010101010101010101010101010101"

static uint32_t receipts(struct world *w)
{
    pthread_mutex_lock(&w->lock);
    uint32_t n = w->receipts;
    pthread_mutex_unlock(&w->lock);
    return n;
}

/* The last receipt is for this event, of this sensor, and signed. */
static bool has_confirmed(struct world *w, const char *event, struct taxii_receipt *out)
{
    uint8_t seed[32], public_key[CRYPTO_SIGN_PUBLIC], secret[CRYPTO_SIGN_SECRET];
    struct buf message = BUF_INIT;

    memset(seed, 1, sizeof seed);
    crypto_sign_make_from(seed, public_key, secret);
    pthread_mutex_lock(&w->lock);
    bool good = taxii_receipt_read(&w->arena, buf_slice(&w->receipt), out, NULL) == 0 &&
                slice_eq(out->event, slice_of(event)) && slice_eq(out->follower, buf_slice(&w->follower));
    pthread_mutex_unlock(&w->lock);
    if (!good)
        return false;
    taxii_receipt_message(out, &message);
    good = keys_check(public_key, KEYS_SIGN_RECEIPT, buf_slice(&message), out->signature);
    buf_free(&message);
    return good;
}

/* Only once the files have let go; and again, when the hub could not take it. */
static void test_sensor_sensor__confirms_recalls(void **state)
{
    struct world w;
    struct taxii_receipt r;
    char follower[37] = "";

    world_open(&w);
    put_file(w.client, "receipt_key: \"" RECEIPT_SEED "\"\n", "a");
    sensor_up(&w);
    WAIT_FOR(streams(&w) == 1);
    say(&w, event(&w, "add", 1, indicator(&w, 'd', "[domain-name:value = 'd.example']", "")));
    say(&w, event(&w, "add", 2, indicator(&w, 'e', "[domain-name:value = 'e.example']", "")));
    WAIT_FOR(slice_eq(listed(&w), SLICE("d.example e.example ")));
    WAIT_FOR(has_confirmed(&w, "e1", &r) || has_confirmed(&w, "e2", &r)); /* once in each run: it tells its lease */
    assert_int_equal(r.lease_us, w.settings.lease_us);
    memcpy(follower, r.follower.ptr, r.follower.len);
    say(&w, event(&w, "retract", 3, indicator(&w, 'd', "[domain-name:value = 'd.example']", ",\"revoked\":true")));
    WAIT_FOR(has_confirmed(&w, "e3", &r));
    assert_slice(listed(&w), "e.example ");
    /* The file cannot be written: it still blocks, and says nothing. */
    char moved[64];
    snprintf(moved, sizeof moved, "%s.away", w.list);
    assert_int_equal(rename(w.list, moved), 0);
    assert_int_equal(mkdir(w.list, 0700), 0);
    uint32_t before = receipts(&w);
    say(&w, event(&w, "restrict", 4, indicator(&w, 'e', "[domain-name:value = 'e.example']", ",\"revoked\":true")));
    usleep(400000);
    assert_int_equal(receipts(&w), before);
    assert_int_equal(rmdir(w.list), 0);
    pthread_mutex_lock(&w.lock);
    w.refuse_receipts = true;
    pthread_mutex_unlock(&w.lock);
    WAIT_FOR(receipts(&w) > before);
    assert_slice(listed(&w), "");
    pthread_mutex_lock(&w.lock);
    w.refuse_receipts = false;
    pthread_mutex_unlock(&w.lock);
    WAIT_FOR(receipts(&w) > before + 1 && has_confirmed(&w, "e4", &r));
    /* What it did before it ended it says when it is back, under the same name. */
    sensor_stop(&w.sensor);
    pthread_mutex_lock(&w.lock);
    buf_clear(&w.receipt);
    pthread_mutex_unlock(&w.lock);
    sensor_up(&w);
    WAIT_FOR(has_confirmed(&w, "e4", &r));
    assert_slice(r.follower, follower);
    world_close(&w);
}

/* With a client file of before there were receipts it works as it did; with a key that is none it does not start. */
static void test_sensor_sensor__receipt_key(void **state)
{
    struct world w;
    struct err err = ERR_INIT;

    world_open(&w);
    sensor_up(&w);
    WAIT_FOR(streams(&w) == 1);
    say(&w, event(&w, "retract", 1, indicator(&w, 'd', "[domain-name:value = 'd.example']", ",\"revoked\":true")));
    usleep(200000);
    assert_int_equal(receipts(&w), 0);
    sensor_stop(&w.sensor);
    put_file(w.client, "receipt_key: short\n", "a");
    assert_int_equal(sensor_start(&w.settings, &w.sensor, &err), -1);
    assert_int_equal(err.code, ERR_CONF_VALUE);
    assert_string_equal(err.place, "/receipt_key");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_sensor__from_snapshot_to_sighting),
        cmocka_unit_test(test_sensor_sensor__without_its_hub),
        cmocka_unit_test(test_sensor_sensor__cursor_refused),
        cmocka_unit_test(test_sensor_sensor__confirms_recalls),
        cmocka_unit_test(test_sensor_sensor__receipt_key),
        cmocka_unit_test(test_sensor_sensor__refuses_to_start),
        cmocka_unit_test(test_sensor_sensor__settings),
    };
    struct err err = ERR_INIT;

    if (crypto_start(&err) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
