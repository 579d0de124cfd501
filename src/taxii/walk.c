/* taxii/walk.c: all that was published in one collection since a position, from any TAXII 2.1 server.

   A run is one or more passes. A pass asks from the position (a little before it: what is known is dropped) and follows
   `next`; where there is none it goes on by added_after, one unit before the last date, so that objects which share a
   date over the end of a page are not lost. A `next` is used once: some servers use it up by reading, so after any
   failure a new pass begins at the position. The position moves with each page as long as the server keeps the order of
   dates (TAXII 2.1 section 3.4), else at the end of the run. */
#include "taxii/internal.h"

#include <stdlib.h>
#include <time.h>

#include "base/crypto.h"

struct taxii_walk {
    struct taxii_client *client;
    struct taxii_walk_conf conf;
    struct taxii_walk_counts counts;
    struct taxii_known known, tokens; /* tokens: `next` that this pass used */
    int64_t after_us, unit_us; /* all up to here is known; unit 0: given by a person, not by a date of the server's */
    /* of the run */
    struct arena arena; /* of a page */
    struct buf next;
    int64_t base_us, base_unit_us; /* the position at its beginning */
    int64_t ask_us, started_us, pause_us;
    int64_t page_last_us; /* of the pass: the newest date so far */
    int64_t page_unit_us; /* of the run: what dates were written to at worst */
    uint64_t started_pages, started_bytes;
    uint32_t limit, pass, empty, again, restarts, waits;
    size_t last_n; /* objects of the last page */
    bool unsorted, over, dated, no_limit, limit_tried;
    bool broken_off;    /* the last run was not complete: no overlap, else short runs would never get on */
    struct buf last_id; /* of the last object, for the manifest */
};

static bool sleep_for(void *arg, int64_t us)
{
    (void)arg;
    nanosleep(&(struct timespec){us / 1000000, us % 1000000 * 1000}, NULL);
    return true;
}

struct taxii_walk *taxii_walk_new(struct taxii_client *c, const struct taxii_walk_conf *conf)
{
    struct taxii_walk *w = mem_zero(1, sizeof *w);

    w->client = c;
    w->conf = *conf;
    if (w->conf.limit == 0)
        w->conf.limit = TAXII_WALK_LIMIT;
    if (w->conf.max_pages == 0)
        w->conf.max_pages = TAXII_WALK_PAGES;
    if (w->conf.max_bytes == 0)
        w->conf.max_bytes = TAXII_WALK_BYTES;
    if (w->conf.max_us == 0)
        w->conf.max_us = TAXII_WALK_TIME_US;
    if (w->conf.first_pause_us == 0)
        w->conf.first_pause_us = 1000000;
    if (w->conf.pause == NULL)
        w->conf.pause = sleep_for;
    w->after_us = INT64_MIN;
    return w;
}

void taxii_walk_free(struct taxii_walk **walk)
{
    struct taxii_walk *w = *walk;

    *walk = NULL;
    if (w == NULL)
        return;
    taxii_known_free(&w->known);
    taxii_known_free(&w->tokens);
    arena_free(&w->arena);
    buf_free(&w->next);
    buf_free(&w->last_id);
    free(w);
}

void taxii_walk_use(struct taxii_walk *w, struct taxii_client *c)
{
    w->client = c;
}

const struct taxii_walk_counts *taxii_walk_counts(const struct taxii_walk *w)
{
    return &w->counts;
}

static void quirk(struct taxii_walk *w, enum taxii_quirk q)
{
    taxii_quirk(w->client, q);
}

/* ---- passes ---- */

/* Where a date of the server's says "up to here": one unit before, since others may share the date. */
static int64_t before(int64_t us, int64_t unit_us, int64_t overlap_us)
{
    return us == INT64_MIN || unit_us == 0 ? us : us - unit_us - overlap_us;
}

static void begin_pass(struct taxii_walk *w, int64_t ask_us)
{
    w->pass++;
    w->ask_us = ask_us;
    w->page_last_us = INT64_MIN;
    w->empty = w->again = 0;
    w->last_n = SIZE_MAX;
    buf_clear(&w->next);
    taxii_known_drop_last(&w->tokens, 0);
}

static void begin_run(struct taxii_walk *w)
{
    w->base_us = w->after_us;
    w->base_unit_us = w->unit_us;
    w->page_unit_us = 1;
    w->started_us = time_steady_us();
    w->started_pages = w->counts.pages;
    w->started_bytes = w->counts.bytes;
    w->limit = w->conf.limit;
    w->restarts = w->waits = 0;
    w->unsorted = w->over = w->dated = false;
    w->pause_us = w->conf.first_pause_us;
    begin_pass(w, before(w->after_us, w->unit_us, w->broken_off ? 0 : TAXII_WALK_OVERLAP_US));
}

static int check_bounds(struct taxii_walk *w, struct err *err)
{
    if (w->counts.pages - w->started_pages >= w->conf.max_pages)
        return err_set(err, ERR_LIMIT_VALUES, NULL, "stopped after %u pages: run again, it goes on from there",
                       w->conf.max_pages);
    if (w->counts.bytes - w->started_bytes >= w->conf.max_bytes)
        return err_set(err, ERR_LIMIT_BYTES, NULL, "stopped after %llu bytes: run again, it goes on from there",
                       (unsigned long long)w->conf.max_bytes);
    if (time_steady_us() - w->started_us >= w->conf.max_us)
        return err_set(err, ERR_TIMEOUT, NULL, "stopped after %lld s: run again, it goes on from there",
                       (long long)(w->conf.max_us / 1000000));
    return 0;
}

/* ---- failures ---- */

/* Will it perhaps go by waiting? A server that was never there is told at once. */
static bool is_passing(const struct taxii_walk *w, const struct taxii_page *page, const struct err *err)
{
    if (page->status == 0)
        return w->counts.pages != w->started_pages && (err->code == ERR_TIMEOUT || err->code == ERR_CONNECT);
    return page->status == 429 || page->status >= 500;
}

/* A page could not be had: 0 to go on with a new pass (after a pause where the server asks for one), -1 to give up. */
static int recover(struct taxii_walk *w, const struct taxii_page *page, struct err *err)
{
    bool passing = is_passing(w, page, err), first = w->next.len == 0;

    if (page->status == 400 && first && !w->no_limit && !w->limit_tried) {
        w->no_limit = w->limit_tried = true; /* perhaps it was the limit */
        return 0;
    }
    if (page->status == 401 || page->status == 403 || (first && !passing))
        return -1;
    if (passing) {
        int64_t us = page->retry_after_us != 0 ? page->retry_after_us : w->pause_us;
        uint32_t most = page->status == 429 || page->status == 503 ? TAXII_WALK_WAITS : TAXII_WALK_WAITS / 2;
        if (++w->waits > most || us > TAXII_WALK_WAIT_US || time_steady_us() + us - w->started_us >= w->conf.max_us)
            return -1;
        w->counts.waits++;
        w->pause_us *= 2;
        if (!w->conf.pause(w->conf.arg, us))
            return -1;
    }
    if (!first && ++w->restarts > TAXII_WALK_RESTARTS)
        return -1;
    w->counts.restarts++;
    begin_pass(w, w->unsorted ? before(w->base_us, w->base_unit_us, TAXII_WALK_OVERLAP_US)
                              : before(w->after_us, w->unit_us, 0));
    return 0;
}

/* ---- a page ---- */

struct fresh {
    struct json *objects;
    size_t n, again; /* new ever; met already in this pass */
    size_t known_before;
};

static void sort_out(struct taxii_walk *w, const struct taxii_page *page, struct fresh *f)
{
    uint8_t hash[16];
    bool is_new;
    int64_t at_us = page->last_us != 0 ? page->last_us : INT64_MAX;

    if (w->known.n > TAXII_WALK_KNOWN_MOST + TAXII_WALK_KNOWN_MOST / 4)
        taxii_known_trim(&w->known, INT64_MIN, TAXII_WALK_KNOWN_MOST, TAXII_WALK_KNOWN_MOST);
    *f = (struct fresh){.objects = arena_array(&w->arena, struct json, json_count(page->objects)),
                        .known_before = w->known.n};
    json_each (object, page->objects) {
        taxii_known_hash(object, hash);
        struct taxii_known_item *item = taxii_known_put(&w->known, hash, &is_new);
        if (is_new)
            f->objects[f->n++] = object;
        else if (item->pass == w->pass)
            f->again++;
        item->pass = w->pass;
        item->at_us = at_us;
        struct slice id = json_text(json_get(object, SLICE("id")));
        buf_clear(&w->last_id);
        buf_put(&w->last_id, id);
    }
}

static void go_to(struct taxii_walk *w, int64_t us)
{
    if (us <= w->after_us)
        return;
    w->after_us = us;
    w->unit_us = w->page_unit_us;
}

/* The position moves to the end of the page before, once this page shows that the server keeps the order of dates: a
   page alone does not tell whether older objects are still to come. */
static void move(struct taxii_walk *w, const struct taxii_page *page)
{
    bool first = w->page_last_us == INT64_MIN;

    if (page->last_us == 0)
        return;
    w->dated = true;
    if (page->unit_us > w->page_unit_us)
        w->page_unit_us = page->unit_us;
    if (!w->unsorted && page->first_us != 0 &&
        (page->first_us > page->last_us || (!first && page->first_us + page->unit_us < w->page_last_us))) {
        w->unsorted = true;
        quirk(w, TAXII_QUIRK_unsorted);
        w->after_us = w->base_us;
        w->unit_us = w->base_unit_us;
    }
    if (!w->unsorted && !first)
        go_to(w, w->page_last_us);
    int64_t newest = page->first_us > page->last_us ? page->first_us : page->last_us;
    if (newest > w->page_last_us)
        w->page_last_us = newest;
}

static struct slice position(struct arena *a, const struct taxii_walk *w)
{
    char text[TIME_TEXT];

    if (w->after_us == INT64_MIN)
        return SLICE("");
    time_put(text, w->after_us);
    return arena_printf(a, "%.*s %lld", (int)sizeof text, text, (long long)w->unit_us);
}

static int hand_on(struct taxii_walk *w, const struct taxii_page *page, struct fresh *f, taxii_walk_fn *fn, void *arg,
                   struct err *err)
{
    int64_t after = w->after_us, unit = w->unit_us;

    move(w, page);
    struct taxii_walk_page out = {f->objects, f->n, position(&w->arena, w)};
    if (f->n != 0 && fn(arg, &out, err) != 0) {
        w->after_us = after;
        w->unit_us = unit;
        taxii_known_drop_last(&w->known, f->known_before);
        return -1;
    }
    w->counts.objects += f->n;
    w->counts.known += json_count(page->objects) - f->n;
    if (f->n != 0) {
        w->restarts = 0;
        w->waits = 0;
        w->pause_us = w->conf.first_pause_us;
    }
    return 0;
}

/* ---- what comes next ---- */

static bool token_is_new(struct taxii_walk *w, struct slice next)
{
    uint8_t hash[CRYPTO_HASH];
    bool is_new;

    crypto_sha256(next, hash);
    taxii_known_put(&w->tokens, hash, &is_new);
    return is_new;
}

/* More, and no next that could be followed: by date. Where the date does not move, by longer pages; where those do not
   come, over that date: what is out of reach is counted. */
static int go_on_by_date(struct taxii_walk *w, const struct taxii_page *page, size_t n, struct err *err)
{
    int64_t ask = page->last_us != 0 ? before(page->last_us, page->unit_us, 0) : INT64_MIN;
    bool longer = n > w->last_n || w->last_n == SIZE_MAX;

    buf_clear(&w->next);
    go_to(w, ask); /* this way of going on takes the order for granted */
    if (page->last_us != 0 && (w->ask_us == INT64_MIN || ask > w->ask_us)) {
        w->ask_us = ask;
        w->last_n = SIZE_MAX;
        w->limit = w->conf.limit;
        return 0;
    }
    quirk(w, TAXII_QUIRK_same_date);
    if (longer && !w->no_limit && w->limit * 4 <= TAXII_WALK_LIMIT_MOST) {
        w->last_n = n;
        w->limit *= 4;
        return 0;
    }
    if (page->last_us == 0)
        return err_set(
            err, ERR_PEER, NULL,
            "the server says that there is more, but gives neither next nor dates: the rest is out of reach");
    w->counts.out_of_reach++;
    int64_t over = page->last_us + page->unit_us - 1;
    w->ask_us = w->ask_us < over ? over : over + 1; /* the second time: added_after is inclusive there */
    w->again = 0;
    w->last_n = SIZE_MAX;
    w->limit = w->conf.limit;
    return 0;
}

static int go_on(struct taxii_walk *w, const struct taxii_page *page, const struct fresh *f, struct err *err)
{
    size_t n = json_count(page->objects);

    if (!page->more) {
        w->over = true;
        return 0;
    }
    if (n != 0 && n < w->limit && !w->no_limit)
        quirk(w, TAXII_QUIRK_page_cut);
    w->empty = n == 0 ? w->empty + 1 : 0;
    w->again = n != 0 && f->again == n ? w->again + 1 : 0;
    bool usable = page->next.len != 0 && token_is_new(w, page->next);
    if (n == 0) {
        quirk(w, TAXII_QUIRK_more_empty);
        w->over = !usable || w->empty >= TAXII_WALK_EMPTY;
    }
    if (w->again >= TAXII_WALK_AGAIN) {
        quirk(w, TAXII_QUIRK_repeats);
        w->counts.out_of_reach++;
        w->over = true;
    }
    if (w->over)
        return 0;
    if (usable) {
        buf_clear(&w->next);
        buf_put(&w->next, page->next);
        return 0;
    }
    if (!page->guessed)
        quirk(w, page->next.len != 0 ? TAXII_QUIRK_next_repeated : TAXII_QUIRK_next_missing);
    return go_on_by_date(w, page, n, err);
}

/* ---- the end of a run ---- */

static void newest_date(struct json objects, int64_t *us_out, int64_t *unit_out)
{
    int64_t us, unit;

    json_each (o, objects)
        if (taxii_date(json_text(json_get(o, SLICE("date_added"))), &us, &unit) && us > *us_out) {
            *us_out = us;
            *unit_out = unit;
        }
}

/* No dates came with the pages. All that there was has been read, so the date of any object that was read is a position
   that loses nothing: the manifest (section 5.3) knows that of the last. */
static void date_by_manifest(struct taxii_walk *w)
{
    struct taxii_want want = {.added_after_us = INT64_MIN, .part = TAXII_MANIFEST, .versions = TAXII_LAST, .limit = 10};
    struct taxii_page page;
    int64_t us = INT64_MIN, unit = 1000000;

    want.ids.items[0] = buf_slice(&w->last_id);
    want.ids.n = 1;
    arena_reset(&w->arena);
    if (taxii_pull(w->client, &w->arena, &want, &page, NULL) != 0)
        return;
    newest_date(page.objects, &us, &unit);
    if (us > w->after_us) {
        w->after_us = us;
        w->unit_us = unit;
    }
}

static void end_run(struct taxii_walk *w)
{
    go_to(w, w->page_last_us);
    if (!w->dated && w->last_id.len != 0) {
        quirk(w, TAXII_QUIRK_date_missing);
        date_by_manifest(w);
    }
    taxii_known_trim(&w->known, before(w->after_us, w->unit_us, TAXII_WALK_OVERLAP_US), TAXII_WALK_KNOWN,
                     TAXII_WALK_KNOWN_MOST);
}

static struct taxii_want want_of(const struct taxii_walk *w)
{
    struct taxii_want want = {.added_after_us = w->ask_us,
                              .next = buf_slice(&w->next),
                              .limit = w->no_limit ? 0 : w->limit,
                              .versions = TAXII_LAST};

    if (w->conf.types != NULL)
        want.types = *w->conf.types;
    return want;
}

static int run_page(struct taxii_walk *w, taxii_walk_fn *fn, void *arg, struct err *err)
{
    struct taxii_want want = want_of(w);
    struct taxii_page page;
    struct fresh f;

    arena_reset(&w->arena);
    if (taxii_pull(w->client, &w->arena, &want, &page, err) != 0) {
        if (recover(w, &page, err) != 0)
            return -1;
        *err = (struct err)ERR_INIT;
        return 0;
    }
    if (w->limit_tried && w->no_limit)
        quirk(w, TAXII_QUIRK_limit_refused);
    w->counts.pages++;
    w->counts.bytes += page.bytes;
    sort_out(w, &page, &f);
    if (w->ask_us != INT64_MIN && page.first_us != 0 && page.first_us < w->ask_us - page.unit_us)
        quirk(w, TAXII_QUIRK_after_ignored);
    return hand_on(w, &page, &f, fn, arg, err) == 0 ? go_on(w, &page, &f, err) : -1;
}

int taxii_walk_run(struct taxii_walk *w, taxii_walk_fn *fn, void *arg, struct err *err)
{
    struct err own = ERR_INIT;
    int result = 0;

    begin_run(w);
    while (result == 0 && !w->over) {
        result = check_bounds(w, &own);
        if (result == 0)
            result = run_page(w, fn, arg, &own);
    }
    w->broken_off = result != 0;
    if (result == 0)
        end_run(w);
    return result == 0 ? 0 : err_copy(err, &own);
}

/* ---- positions and state ---- */

void taxii_walk_since(struct taxii_walk *w, int64_t after_us)
{
    w->after_us = after_us;
    w->unit_us = 0;
}

int taxii_walk_at(struct taxii_walk *w, struct slice text, struct err *err)
{
    struct slice rest = text, date;
    uint64_t unit;
    int64_t us;

    w->after_us = INT64_MIN;
    w->unit_us = 0;
    if (text.len == 0)
        return 0;
    slice_cut(&rest, ' ', &date);
    if (!time_parse(date, &us) || !slice_u64(rest, &unit) || unit > 1000000)
        return err_set(err, ERR_CONF_VALUE, NULL, "not a position of a walk");
    w->after_us = us;
    w->unit_us = (int64_t)unit;
    return 0;
}

void taxii_walk_save(const struct taxii_walk *w, struct slice server, struct buf *out)
{
    struct arena a = ARENA_INIT;
    struct buf hex = BUF_INIT;

    json_put_open(out, '{');
    json_put_number(out, "version", 1);
    json_put_text(out, "server", server);
    json_put_text(out, "position", position(&a, w));
    json_put_key(out, SLICE("complete"));
    json_put_bool(out, !w->broken_off);
    json_put_key(out, SLICE("known"));
    json_put_open(out, '[');
    for (size_t i = 0; i < w->known.n; i++) {
        buf_clear(&hex);
        crypto_put_hex(&hex, w->known.items[i].hash, 16);
        json_put_string(out, buf_slice(&hex));
    }
    json_put_close(out, ']');
    json_put_close(out, '}');
    buf_put_byte(out, '\n');
    buf_free(&hex);
    arena_free(&a);
}

int taxii_walk_load(struct taxii_walk *w, struct slice state, struct slice server, struct err *err)
{
    const struct json_limits limits = {8, TAXII_WALK_KNOWN_MOST + 1000, 1000, 1 << 16, 1u << 30};
    struct arena a = ARENA_INIT;
    struct json root;
    uint8_t hash[16];
    bool is_new;
    int result = json_parse(&a, state, &limits, &root, err);

    if (result == 0 && !slice_eq(json_string(&a, json_get(root, SLICE("server"))), server))
        result = err_set(err, ERR_CONF_VALUE, NULL, "the state is that of another server or collection (" SLICE_FMT ")",
                         SLICE_ARG(json_text(json_get(root, SLICE("server")))));
    if (result == 0)
        result = taxii_walk_at(w, json_string(&a, json_get(root, SLICE("position"))), err);
    bool complete;
    w->broken_off = result == 0 && json_bool(json_get(root, SLICE("complete")), &complete) && !complete;
    struct json known = result == 0 ? json_get(root, SLICE("known")) : (struct json){NULL, 0};
    json_each (v, known)
        if (crypto_hex(json_text(v), hash, sizeof hash))
            taxii_known_put(&w->known, hash, &is_new)->at_us = w->after_us;
    arena_free(&a);
    return result;
}
