#include "sensor/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"

enum {
    SENSOR_TICK_US = 50000,
    SENSOR_GATHER_US = 3000, /* what comes together is written together */
    SENSOR_STATS_EVERY_US = 60 * 1000000
};

struct sensor {
    struct arena arena;
    struct sensor_settings settings;
    struct taxii_client_conf client;
    int lock_fd;
    struct match_index *index;
    struct live *live;
    struct brakes *brakes;
    struct enforce *enforce;
    struct apply *apply;
    struct follow *follow;
    struct sight *sight;
    struct renew *renew;       /* NULL: no certificate */
    struct receipts *receipts; /* NULL: the client file has no key for them */
    struct slice receipt_key;
    struct buf recalled; /* up to this event; to be confirmed when the files say all of `changes` */
    uint64_t changes;
    struct telemetry *inputs[MATCH_READERS_MAX];
    size_t n_inputs;
    pthread_t ticker;
    bool ticking;
    atomic_bool stopping;
    bool told_ready, write_failed;
};

/* ---- settings ---- */

static struct slice keep(struct arena *a, struct slice s)
{
    return arena_copy(a, s);
}

static struct conf_list keep_list(struct arena *a, struct conf_list list)
{
    struct conf_list copy = {arena_array(a, struct slice, list.n + 1), list.n};

    for (size_t i = 0; i < list.n; i++)
        copy.items[i] = keep(a, list.items[i]);
    return copy;
}

static void keep_settings(struct sensor *s, const struct sensor_settings *from)
{
    struct sensor_settings *to = &s->settings;
    struct arena *a = &s->arena;

    *to = *from;
    to->client = keep(a, from->client);
    to->state = keep(a, from->state);
    to->inputs = keep_list(a, from->inputs);
    to->format = keep(a, from->format);
    to->mode = keep(a, from->mode);
    to->report_own = keep(a, from->report_own);
    to->report_partners = keep(a, from->report_partners);
    to->never_block = keep(a, from->never_block);
    to->export_nft = keep(a, from->export_nft);
    to->export_list = keep(a, from->export_list);
    to->block_sources = keep_list(a, from->block_sources);
}

static struct slice in_state(struct arena *a, const struct sensor_settings *settings, const char *name)
{
    return arena_printf(a, SLICE_FMT "/%s", SLICE_ARG(settings->state), name);
}

static int read_client(struct sensor *s, struct err *err)
{
    struct taxii_client_file *file = arena_new(&s->arena, struct taxii_client_file);

    if (conf_read(&s->arena, s->settings.client.ptr, taxii_client_fields, taxii_client_n_fields, file, err) != 0)
        return -1;
    taxii_client_conf_from(file, &s->client);
    s->receipt_key = file->receipt_key;
    return 0;
}

static enum sensor_report report_of(struct slice word)
{
    return slice_eq(word, SLICE("full"))   ? SENSOR_REPORT_FULL
           : slice_eq(word, SLICE("none")) ? SENSOR_REPORT_NONE
                                           : SENSOR_REPORT_AGGREGATE;
}

static struct enforce_conf enforce_settings(struct arena *a, const struct sensor_settings *settings, struct slice hub)
{
    return (struct enforce_conf){
        .block = slice_eq(settings->mode, SLICE("block")),
        .sources = settings->block_sources.items,
        .n_sources = settings->block_sources.n,
        .min_confidence = settings->min_confidence,
        .lease_us = settings->lease_us,
        .max_entries = settings->max_entries,
        .max_new_per_minute = settings->max_new_per_minute,
        .hub = hub,
        .export_nft = settings->export_nft,
        .export_list = settings->export_list,
        .released = in_state(a, settings, "released"),
    };
}

/* ---- time ---- */

static void tell_ready(struct sensor *s)
{
    if (s->told_ready || !follow_is_ready(s->follow))
        return;
    struct enforce_counts counts;
    enforce_counts(s->enforce, &counts);
    log_event("sensor_ready", NUM("indicators", apply_count(s->apply)), NUM("blocked", counts.blocked),
              NUM("inputs", s->n_inputs));
    s->told_ready = true;
}

static void tell_stats(struct sensor *s)
{
    struct match_stats sum = {0}, one;
    struct enforce_counts counts;

    for (size_t i = 0; i < s->n_inputs; i++) {
        telemetry_stats(s->inputs[i], &one);
        sum.lines += one.lines;
        sum.bytes += one.bytes;
        sum.bad_lines += one.bad_lines;
        sum.hits += one.hits;
    }
    enforce_counts(s->enforce, &counts);
    log_event("sensor_stats", NUM("lines", sum.lines), NUM("bytes", sum.bytes), NUM("bad_lines", sum.bad_lines),
              NUM("hits", sum.hits), NUM("indicators", apply_count(s->apply)), NUM("blocked", counts.blocked),
              NUM("waiting", counts.waiting), NUM("never_blocked", counts.held));
}

/* Of the recalls that were applied before this moment. */
static void note_recalls(struct sensor *s)
{
    struct arena a = ARENA_INIT;
    struct slice event = s->receipts != NULL ? apply_recalled(s->apply, &a) : SLICE("");

    if (event.len != 0) {
        buf_clear(&s->recalled);
        buf_put(&s->recalled, event);
        s->changes = enforce_changes(s->enforce);
    }
    arena_free(&a);
}

static void confirm_recalls(struct sensor *s)
{
    if (s->recalled.len == 0 || !enforce_has_written(s->enforce, s->changes))
        return;
    receipts_confirm(s->receipts, buf_slice(&s->recalled));
    buf_clear(&s->recalled);
}

static void tick(struct sensor *s, int64_t now_us)
{
    struct err err = ERR_INIT;

    note_recalls(s);
    /* The journal first, then the files: what is blocked is known after a crash too. */
    apply_tick(s->apply, follow_is_up(s->follow), now_us);
    enforce_tick(s->enforce, now_us);
    /* Before the first snapshot the files of the last run stand: a restart must not open what was closed. */
    bool failed = follow_is_ready(s->follow) && enforce_write(s->enforce, now_us, false, &err) != 0;
    if (failed && !s->write_failed)
        log_event("export_not_written", ERROR_FIELD(&err));
    s->write_failed = failed;
    confirm_recalls(s);
    tell_ready(s);
}

static void *run_ticker(void *arg)
{
    struct sensor *s = arg;
    int64_t stats_us = time_steady_us() + SENSOR_STATS_EVERY_US;
    const struct timespec gather = {0, SENSOR_GATHER_US * 1000};

    while (!atomic_load(&s->stopping)) {
        tick(s, time_now_us());
        if (time_steady_us() >= stats_us) {
            stats_us += SENSOR_STATS_EVERY_US;
            tell_stats(s);
        }
        enforce_wait(s->enforce, SENSOR_TICK_US);
        nanosleep(&gather, NULL);
    }
    return NULL;
}

/* ---- start ---- */

static int lock_state(struct sensor *s, struct err *err)
{
    struct slice path = in_state(&s->arena, &s->settings, "lock");

    if (file_make_dir(s->settings.state.ptr, 0700, err) != 0)
        return -1;
    s->lock_fd = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return err_set(err, ERR_SYSTEM, path.ptr, "%s", strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, ERR_BUSY, path.ptr, "another sensor runs on this directory");
    return 0;
}

static int open_state(struct sensor *s, struct err *err)
{
    int64_t now_us = time_now_us();

    if (lock_state(s, err) != 0 || live_open(s->settings.state.ptr, false, &s->live, err) != 0 ||
        brakes_open(s->settings.never_block, &s->brakes, err) != 0)
        return -1;
    struct enforce_conf conf = enforce_settings(&s->arena, &s->settings, s->client.http.url);
    int64_t heard_us = live_heard(s->live);
    if (enforce_open(&conf, s->brakes, heard_us != 0 ? heard_us : now_us, now_us, &s->enforce, err) != 0)
        return -1;
    s->index = match_index_new(live_count(s->live) + 1000);
    s->apply = apply_new(s->live, s->index, s->enforce);
    enforce_tick(s->enforce, now_us); /* an old lease has lapsed before anything is offered */
    apply_live(s->apply, now_us);
    return 0;
}

static int start_inputs(struct sensor *s, struct err *err)
{
    bool is_auto = slice_eq(s->settings.format, SLICE("auto"));

    for (size_t i = 0; i < s->settings.inputs.n; i++) {
        struct telemetry_conf conf = {.path = s->settings.inputs.items[i],
                                      .format = is_auto ? NULL : match_format_find(s->settings.format),
                                      .index = s->index,
                                      .fn = sight_hit,
                                      .arg = s->sight};
        if (telemetry_start(&conf, &s->inputs[s->n_inputs], err) != 0)
            return -1;
        s->n_inputs++;
    }
    return 0;
}

/* Every request says which of its member's sensors this is. */
static int start_receipts(struct sensor *s, struct err *err)
{
    struct receipts_conf conf = {.key = s->receipt_key, .lease_us = s->settings.lease_us, .apply = s->apply};

    if (receipts_follower(in_state(&s->arena, &s->settings, "follower").ptr, &s->arena, &conf.follower, err) != 0)
        return -1;
    s->client.http.header = arena_printf(&s->arena, TAXII_FOLLOWER_HEADER ": " SLICE_FMT, SLICE_ARG(conf.follower));
    conf.client = s->client;
    if (s->receipt_key.len != 0)
        return receipts_start(&conf, &s->receipts, err);
    log_event("no_receipt_key", TEXT("client", s->settings.client));
    return 0;
}

static int start_threads(struct sensor *s, struct err *err)
{
    if (start_receipts(s, err) != 0)
        return -1;
    struct sight_conf sight = {.live = s->live,
                               .own = report_of(s->settings.report_own),
                               .onward = slice_eq(s->settings.report_partners, SLICE("aggregate")),
                               .every_us = s->settings.report_every_us,
                               .spool = in_state(&s->arena, &s->settings, "sightings"),
                               .client = s->client};
    struct follow_conf follow = {s->client, s->apply};

    if (sight_start(&sight, &s->sight, err) != 0 || start_inputs(s, err) != 0 ||
        follow_start(&follow, &s->follow, err) != 0 ||
        (s->client.http.cert.len != 0 && renew_start(&s->client, &s->renew, err) != 0))
        return -1;
    if (pthread_create(&s->ticker, NULL, run_ticker, s) != 0)
        return err_set(err, ERR_SYSTEM, "", "no thread can be started");
    s->ticking = true;
    return 0;
}

int sensor_start(const struct sensor_settings *settings, struct sensor **sensor_out, struct err *err)
{
    struct sensor *s = mem_zero(1, sizeof *s);

    s->lock_fd = -1;
    keep_settings(s, settings);
    if (read_client(s, err) != 0 || open_state(s, err) != 0 || start_threads(s, err) != 0) {
        sensor_stop(&s);
        return -1;
    }
    *sensor_out = s;
    return 0;
}

void sensor_write_live(struct sensor *s)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    size_t n = 0;

    if (live_write_list(s->live, in_state(&a, &s->settings, "live.txt").ptr, &n, &err) == 0)
        log_event("live_written", NUM("values", n));
    else
        log_event("live_not_written", ERROR_FIELD(&err));
    arena_free(&a);
}

void sensor_stop(struct sensor **sensor)
{
    struct sensor *s = *sensor;
    struct err err = ERR_INIT;

    *sensor = NULL;
    if (s == NULL)
        return;
    atomic_store(&s->stopping, true);
    if (s->ticking)
        pthread_join(s->ticker, NULL);
    renew_stop(&s->renew);
    receipts_stop(&s->receipts);
    follow_stop(&s->follow);
    for (size_t i = 0; i < s->n_inputs; i++)
        telemetry_stop(&s->inputs[i]);
    sight_stop(&s->sight, &err);
    if (s->ticking)
        enforce_write(s->enforce, time_now_us(), false, &err);
    apply_free(&s->apply);
    enforce_close(&s->enforce);
    brakes_close(&s->brakes);
    live_close(&s->live, &err);
    match_index_free(&s->index);
    if (err.code != ERR_NONE)
        log_event("state_not_written", ERROR_FIELD(&err));
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    buf_free(&s->recalled);
    arena_free(&s->arena);
    free(s);
}

/* ---- release, without a sensor or beside one ---- */

int sensor_release(const struct sensor_settings *settings, struct slice source, int64_t since_us,
                   uint64_t *released_out, struct err *err)
{
    struct sensor *s = mem_zero(1, sizeof *s);
    int64_t now_us = time_now_us();

    s->lock_fd = -1;
    keep_settings(s, settings);
    int result = read_client(s, err) != 0 || live_open(s->settings.state.ptr, true, &s->live, err) != 0 ||
                         brakes_open(s->settings.never_block, &s->brakes, err) != 0
                     ? -1
                     : 0;
    if (result == 0) {
        struct enforce_conf conf = enforce_settings(&s->arena, &s->settings, s->client.http.url);
        int64_t heard_us = live_heard(s->live);
        conf.quiet = true;
        result = enforce_open(&conf, s->brakes, heard_us != 0 ? heard_us : now_us, now_us, &s->enforce, err);
    }
    if (result == 0) {
        s->index = match_index_new(live_count(s->live));
        s->apply = apply_new(s->live, s->index, s->enforce);
        enforce_tick(s->enforce, now_us);
        apply_live(s->apply, now_us);
        result = enforce_release(s->enforce, source, since_us, now_us, released_out, err);
    }
    if (result == 0)
        result = enforce_write(s->enforce, now_us, true, err);
    sensor_stop(&s);
    return result;
}
