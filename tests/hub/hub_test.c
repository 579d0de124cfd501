#include "hub_test.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* ---- the hub ---- */

static void *serve(void *arg)
{
    struct hub_test *t = arg;

    keys_serve(&t->secrets, t->theirs, HUB_TEST_CHANNELS);
    return NULL;
}

static void begin(void)
{
    static bool done;

    if (!done && (crypto_start(NULL) != 0 || log_open("test", "/dev/null", NULL) != 0))
        abort();
    done = true;
}

void hub_test_start(struct hub_test *t)
{
    uint8_t secret[CRYPTO_KEY];
    int ours[HUB_TEST_CHANNELS];
    struct err err = ERR_INIT;
    struct hub_conf conf = {.dir = t->dir, .channels = ours, .n_channels = 3};

    begin();
    memset(secret, t->secret, sizeof secret);
    keys_secrets_derive(secret, &t->secrets);
    for (int i = 0; i < HUB_TEST_CHANNELS; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        t->theirs[i] = pair[0];
        ours[i] = pair[1];
    }
    assert_int_equal(pthread_create(&t->keys_thread, NULL, serve, t), 0);
    conf.settings = (struct hub_settings){.name = SLICE("North"),
                                          .id = SLICE(HUB_TEST_ID),
                                          .url = SLICE("https://192.0.2.1:6443"),
                                          .max_body = 16 << 20,
                                          .max_objects = 10000,
                                          .page_default = 1000,
                                          .page_max = 10000,
                                          .page_rows = 100000,
                                          .default_valid_for_us = 90LL * 86400 * 1000000,
                                          .token_life_us = 900 * INT64_C(1000000),
                                          .workers = 2};
    if (hub_open(&conf, &t->hub, &err) != 0)
        fail_msg("%s %s", err_name(err.code), err.text);
    memset(t->readers, 0, sizeof t->readers);
    for (int i = 0; i < HUB_TEST_READERS; i++) {
        t->readers[i].hub = t->hub;
        t->readers[i].reader = hub_reader_new(t->hub, &err);
        assert_non_null(t->readers[i].reader);
        assert_int_equal(keys_open(ours[3 + i], &t->readers[i].keys, &err), 0);
    }
}

void hub_test_open(struct hub_test *t)
{
    memset(t, 0, sizeof *t);
    strcpy(t->dir, "/tmp/tocsin-test-hub-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    t->secret = 1;
    hub_test_start(t);
}

void hub_test_stop(struct hub_test *t)
{
    hub_stop(t->hub);
    for (int i = 0; i < HUB_TEST_READERS; i++) {
        hub_reader_free(&t->readers[i].reader);
        keys_close(&t->readers[i].keys);
        arena_free(&t->readers[i].arena);
    }
    hub_close(&t->hub);
    pthread_join(t->keys_thread, NULL); /* it ends when the last channel closes */
}

void hub_test_close(struct hub_test *t)
{
    char path[400];
    DIR *dir;

    hub_test_stop(t);
    dir = opendir(t->dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        snprintf(path, sizeof path, "%s/%s", t->dir, e->d_name);
        unlink(path);
    }
    closedir(dir);
    rmdir(t->dir);
}

/* ---- answers ---- */

void hub_answer_init(struct hub_answer *a)
{
    memset(a, 0, sizeof *a);
    a->waiting = true;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->came, NULL);
}

void hub_answer_free(struct hub_answer *a)
{
    buf_free(&a->status);
    buf_free(&a->detail);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->came);
}

void hub_answer_wait(struct hub_answer *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->waiting)
        pthread_cond_wait(&a->came, &a->lock);
    pthread_mutex_unlock(&a->lock);
}

void hub_answer_take(void *answer, const struct hub_outcome *o)
{
    struct hub_answer *a = answer;

    pthread_mutex_lock(&a->lock);
    if (o->err != NULL)
        a->err = *o->err;
    a->envelope = o->envelope;
    a->leaf = o->leaf;
    a->first_seq = o->first_seq;
    a->last_seq = o->last_seq;
    a->accepted = o->accepted;
    a->unchanged = o->unchanged;
    a->held = o->held;
    a->refused = o->refused;
    buf_put(&a->status, o->status);
    buf_put(&a->detail, o->detail);
    a->waiting = false;
    pthread_cond_broadcast(&a->came);
    pthread_mutex_unlock(&a->lock);
}

void hub_test_act_into(struct hub_test *t, enum hub_act_kind kind, struct hub_party *by, struct slice detail,
                       struct hub_answer *a)
{
    struct act act = {.kind = kind, .by = by, .detail = detail, .done = hub_answer_take, .arg = a};

    a->failed = hub_act(t->hub, &act, &a->err);
    if (a->failed != 0)
        a->waiting = false;
}

static enum err_code run_act(struct hub_test *t, enum hub_act_kind kind, struct hub_party *by, const char *format,
                             va_list args, struct err *err)
{
    char *text = NULL;
    struct hub_answer a;

    assert_true(vasprintf(&text, format, args) >= 0);
    hub_answer_init(&a);
    hub_test_act_into(t, kind, by, slice_of(text), &a);
    hub_answer_wait(&a);
    *err = a.err;
    hub_answer_free(&a);
    free(text);
    return err->code;
}

void hub_test_act(struct hub_test *t, enum hub_act_kind kind, struct hub_party *by, const char *format, ...)
{
    struct err err;
    va_list args;

    va_start(args, format);
    if (run_act(t, kind, by, format, args, &err) != ERR_NONE)
        fail_msg("%s at %s: %s (%s)", err_name(err.code), err.place, err.text, format);
    va_end(args);
}

enum err_code hub_test_act_fails(struct hub_test *t, enum hub_act_kind kind, struct hub_party *by, const char *format,
                                 ...)
{
    struct err err;
    va_list args;

    va_start(args, format);
    enum err_code code = run_act(t, kind, by, format, args, &err);
    va_end(args);
    return code;
}

void hub_test_tick(struct hub_test *t)
{
    hub_test_act(t, HUB_DELIVERED, NULL, "%s", "");
}

void hub_test_settle(struct hub_test *t)
{
    struct hub *h = t->hub;
    uint64_t head;

    do {
        hub_bands_tick(h);
        hub_corroborate_tick(h);
        usleep(2000);
        head = atomic_load(&h->head);
    } while (!hub_bands_are_out(h) || hub_corroborate_passed(h) < head || head != atomic_load(&h->head));
}

/* ---- people ---- */

struct hub_party *hub_test_party(struct hub_test *t, const char *name)
{
    struct hub_directory *d = hub_directory_hold(t->hub);
    const struct hub_member *m = hub_directory_member(d, slice_of(name));
    struct hub_party *p = m != NULL ? hub_party_new(HUB_PARTY_MEMBER, m->viewer, m->owner, m->name)
                                    : hub_partner_party(t->hub, slice_of(name));

    hub_directory_drop(&d);
    return p;
}

struct hub_party *hub_test_member(struct hub_test *t, const char *name, const char *more)
{
    hub_test_act(t, HUB_MEMBER_PUT, NULL, "{\"name\":\"%s\",\"may_write\":true%s}", name, more);
    return hub_test_party(t, name);
}

void hub_test_collection(struct hub_test *t, const char *name, const char *more, char id_out[37])
{
    hub_test_act(t, HUB_COLLECTION_PUT, NULL, "{\"name\":\"%s\"%s}", name, more);
    struct hub_directory *d = hub_directory_hold(t->hub);
    const struct hub_collection *c = hub_directory_collection(d, slice_of(name));
    assert_non_null(c);
    assert_int_equal(c->id.len, 36);
    memcpy(id_out, c->id.ptr, 36);
    id_out[36] = '\0';
    hub_directory_drop(&d);
}

static void secrets_of(uint8_t byte, struct keys_secrets *out)
{
    uint8_t secret[CRYPTO_KEY];

    memset(secret, byte, sizeof secret);
    keys_secrets_derive(secret, out);
}

struct hub_party *hub_test_partner(struct hub_test *t, const char *name, const char *hub_id, uint8_t secret,
                                   const char *agreement)
{
    struct keys_secrets s;
    struct buf hex = BUF_INIT;

    secrets_of(secret, &s);
    crypto_put_hex(&hex, s.sign_public, sizeof s.sign_public);
    hub_test_act(t, HUB_PARTNER_PUT, NULL,
                 "{\"name\":\"%s\",\"hub_id\":\"%s\",\"key\":\"" SLICE_FMT "\",\"agreement\":%s}", name, hub_id,
                 SLICE_ARG(buf_slice(&hex)), agreement);
    buf_free(&hex);
    return hub_partner_party(t->hub, slice_of(name));
}

void hub_test_sign(uint8_t secret, struct slice origin, struct slice id, enum store_kind kind, struct slice object,
                   uint8_t out[CRYPTO_SIGNATURE])
{
    struct keys_secrets s;
    struct buf message = BUF_INIT, covered = BUF_INIT;
    uint8_t hash[CRYPTO_HASH];

    secrets_of(secret, &s);
    hub_event_message(origin, id, kind, object, &message);
    crypto_sha256(buf_slice(&message), hash); /* that is what keys signs */
    assert_true(keys_signed_bytes(KEYS_SIGN_EVENT, slice_n((const char *)hash, sizeof hash), &covered));
    crypto_sign_message(s.sign_secret, buf_slice(&covered), out);
    buf_free(&message);
    buf_free(&covered);
}

/* ---- submitting ---- */

void hub_test_submit_into(struct hub_test *t, struct hub_party *from, const char *collection, struct slice text,
                          struct hub_answer *a)
{
    struct submission s = {.door = HUB_TAXII,
                           .from = from,
                           .collection = slice_of(collection),
                           .bytes = buf_ref_copy(text),
                           .received_us = time_now_us(),
                           .done = hub_answer_take,
                           .arg = a};

    a->failed = hub_submit(t->hub, &s, &a->err);
    if (a->failed != 0) {
        buf_ref_drop(&s.bytes);
        a->waiting = false;
    }
}

struct hub_answer *hub_test_submit(struct hub_test *t, struct hub_party *from, const char *collection,
                                   const char *objects)
{
    struct hub_answer *a = mem_zero(1, sizeof *a);
    struct buf text = BUF_INIT;

    buf_printf(&text, "{\"objects\":[%s]}", objects);
    hub_answer_init(a);
    hub_test_submit_into(t, from, collection, buf_slice(&text), a);
    hub_answer_wait(a);
    buf_free(&text);
    return a;
}

void hub_test_submit_good(struct hub_test *t, struct hub_party *from, const char *collection, const char *objects)
{
    struct hub_answer *a = hub_test_submit(t, from, collection, objects);

    if (a->err.code != ERR_NONE || a->held != 0 || a->refused != 0)
        fail_msg("%s %s %.*s", err_name(a->err.code), a->err.text, SLICE_ARG(buf_slice(&a->status)));
    hub_answer_free(a);
    free(a);
}

struct slice hub_test_indicator_id(struct arena *a, unsigned n)
{
    return arena_printf(a, "indicator--00000000-0000-4000-8000-%012x", n);
}

static struct slice marking_of(struct arena *a, const char *marking)
{
    return marking != NULL ? arena_printf(a, ",\"object_marking_refs\":[\"%s\"]", marking) : SLICE("");
}

struct slice hub_test_indicator(struct arena *a, unsigned n, unsigned version, const char *marking, const char *more)
{
    return hub_test_indicator_of(a, n, n, version, marking, more);
}

struct slice hub_test_indicator_of(struct arena *a, unsigned n, unsigned value, unsigned version, const char *marking,
                                   const char *more)
{
    return arena_printf(a,
                        "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"" SLICE_FMT
                        "\",\"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:%02u:%02u.000Z\","
                        "\"pattern\":\"[domain-name:value = 'n%u.example']\",\"pattern_type\":\"stix\","
                        "\"valid_from\":\"2026-01-01T00:00:00Z\"" SLICE_FMT "%s}",
                        SLICE_ARG(hub_test_indicator_id(a, n)), version / 60, version % 60, value,
                        SLICE_ARG(marking_of(a, marking)), more);
}

struct slice hub_test_address(struct arena *a, unsigned n, const char *marking)
{
    struct slice members = arena_printf(a, "\"spec_version\":\"2.1\",\"value\":\"198.51.%u.%u\"" SLICE_FMT,
                                        100 + n / 256 % 100, n % 256, SLICE_ARG(marking_of(a, marking)));
    struct slice text = arena_printf(a, "{\"type\":\"ipv4-addr\"," SLICE_FMT "}", SLICE_ARG(members)), id;
    struct json root;

    assert_int_equal(json_parse(a, text, NULL, &root, NULL), 0);
    assert_true(stix_id_deterministic(a, root, &id));
    return arena_printf(a, "{\"type\":\"ipv4-addr\",\"id\":\"" SLICE_FMT "\"," SLICE_FMT "}", SLICE_ARG(id),
                        SLICE_ARG(members));
}

struct slice hub_test_list(struct arena *a, const struct slice *items, size_t n)
{
    struct buf out = BUF_INIT;

    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s" SLICE_FMT, i != 0 ? "," : "", SLICE_ARG(items[i]));
    struct slice list = arena_copy(a, buf_slice(&out));
    buf_free(&out);
    return list;
}

/* ---- reading ---- */

void hub_copies_free(struct hub_copies *c)
{
    arena_free(&c->arena);
    free(c->items);
    memset(c, 0, sizeof *c);
}

static bool is_revoked(struct slice bytes)
{
    struct arena a = ARENA_INIT;
    struct json root;
    bool revoked = false;

    if (bytes.len != 0 && json_parse(&a, bytes, NULL, &root, NULL) == 0)
        json_bool(json_get(root, SLICE("revoked")), &revoked);
    arena_free(&a);
    return revoked;
}

void hub_copies_add(struct hub_copies *c, const struct hub_seen *seen)
{
    if (c->n == c->room) {
        c->room = c->room * 2 + 64;
        c->items = mem_grow(c->items, c->room * sizeof *c->items);
    }
    c->items[c->n++] = (struct hub_copy){.id = arena_copy(&c->arena, seen->id),
                                         .bytes = arena_copy(&c->arena, seen->bytes),
                                         .release = hub_id_hash(seen->row->id),
                                         .added_us = seen->row->added_us,
                                         .version_us = seen->version_us,
                                         .seq = seen->row->seq,
                                         .owner = seen->row->owner,
                                         .facts_class = seen->row->facts_class,
                                         .kind = seen->row->kind,
                                         .own = seen->own,
                                         .revoked = is_revoked(seen->bytes)};
}

const struct hub_copy *hub_copies_find(const struct hub_copies *c, struct slice id)
{
    for (size_t i = c->n; i > 0; i--)
        if (slice_eq(c->items[i - 1].id, id))
            return &c->items[i - 1];
    return NULL;
}

static int take(void *arg, const struct hub_seen *seen, const struct store_at *at)
{
    hub_copies_add(arg, seen);
    return 0;
}

int hub_test_read_by(struct hub_worker *w, struct hub_party *p, const char *collection, enum store_part part,
                     bool superseded_too, uint32_t limit, struct store_at *at, struct hub_copies *out)
{
    bool more = true;

    while (more) {
        struct hub_view v;
        struct err err = ERR_INIT;
        if (hub_view_open(w, p, &v, &err) != 0)
            return -1;
        struct hub_view_ask ask = {.collection = hub_directory_collection(v.directory, slice_of(collection)),
                                   .part = part,
                                   .superseded_too = superseded_too,
                                   .limit = limit};
        struct store_at after = *at;
        size_t n = out->n;
        assert_non_null(ask.collection);
        if (hub_view_page(&v, &ask, &after, take, out, at, &more, &err) != 0)
            fail_msg("%s %s", err_name(err.code), err.text);
        if (!more && part != STORE_PAGE)
            *at = (struct store_at){v.upto, UINT64_MAX, 0};
        if (!hub_view_close(&v)) { /* recalled meanwhile: once more */
            *at = after;
            out->n = n;
            more = true;
        }
        arena_reset(&w->arena);
    }
    return 0;
}

int hub_test_read(struct hub_test *t, struct hub_party *p, const char *collection, enum store_part part,
                  bool superseded_too, uint32_t limit, struct store_at *at, struct hub_copies *out)
{
    return hub_test_read_by(&t->readers[0], p, collection, part, superseded_too, limit, at, out);
}

void hub_test_fresh(struct hub_test *t, struct hub_party *p, const char *collection, struct hub_copies *out)
{
    struct store_at at = {0, 0, 0};

    assert_int_equal(hub_test_read(t, p, collection, STORE_PAGE, false, 7, &at, out), 0);
}

size_t hub_test_count(struct hub_test *t, struct hub_party *p, const char *collection)
{
    struct hub_copies c = {.n = 0};
    size_t n = 0;

    hub_test_fresh(t, p, collection, &c);
    for (size_t i = 0; i < c.n; i++)
        n += hub_copies_find(&c, c.items[i].id) == &c.items[i] && !c.items[i].revoked &&
             !slice_starts(c.items[i].id, SLICE("identity--"));
    hub_copies_free(&c);
    return n;
}

bool hub_copy_is_recall(const struct hub_copy *c)
{
    return c->kind == STORE_RETRACT || c->kind == STORE_RESTRICT;
}

void hub_holding_free(struct hub_holding *h)
{
    arena_free(&h->arena);
    free(h->items);
    memset(h, 0, sizeof *h);
}

static size_t place_of(const struct hub_holding *h, uint64_t id)
{
    size_t low = 0, high = h->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (h->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct hub_entry *hub_holding_find(const struct hub_holding *h, uint64_t id)
{
    size_t at = place_of(h, id);

    return at < h->n && h->items[at].id == id ? &h->items[at] : NULL;
}

void hub_holding_take(struct hub_holding *h, const struct hub_copy *c, bool live)
{
    uint64_t id = hub_id_hash(c->id);
    size_t at = place_of(h, id);

    if (at == h->n || h->items[at].id != id) {
        if (h->n == h->room) {
            h->room = h->room * 2 + 16;
            h->items = mem_grow(h->items, h->room * sizeof *h->items);
        }
        memmove(h->items + at + 1, h->items + at, (h->n - at) * sizeof *h->items);
        h->items[at] = (struct hub_entry){.id = id, .added_us = INT64_MIN};
        h->n++;
    }
    if (c->added_us <= h->items[at].added_us)
        return;
    h->revived += live && !c->own && !h->items[at].live && h->items[at].bytes.len != 0;
    h->items[at] = (struct hub_entry){id, c->release, c->added_us, arena_copy(&h->arena, c->bytes), live, c->own};
}

bool hub_holds(struct slice text, const char *what)
{
    size_t n = strlen(what);

    for (size_t i = 0; i + n <= text.len; i++)
        if (strncasecmp(text.ptr + i, what, n) == 0)
            return true;
    return false;
}

struct slice hub_test_find(struct hub_test *t, struct hub_party *p, const char *collection, const char *text,
                           struct arena *a, struct slice *bytes_out)
{
    struct hub_copies c = {.n = 0};
    struct slice id = {NULL, 0};

    hub_test_fresh(t, p, collection, &c);
    for (size_t i = 0; i < c.n; i++)
        if (!c.items[i].revoked && hub_holds(c.items[i].bytes, text) &&
            hub_copies_find(&c, c.items[i].id) == &c.items[i]) {
            id = arena_copy(a, c.items[i].id);
            if (bytes_out != NULL)
                *bytes_out = arena_copy(a, c.items[i].bytes);
        }
    hub_copies_free(&c);
    return id;
}

int hub_test_get(struct hub_test *t, struct hub_party *p, const char *collection, struct slice id, bool all,
                 struct hub_copies *out)
{
    struct hub_view v;
    struct err err = ERR_INIT;
    struct store_at after = {0, 0, 0};

    if (hub_view_open(&t->readers[0], p, &v, &err) != 0)
        return -1;
    const struct hub_collection *c = hub_directory_collection(v.directory, slice_of(collection));
    if (hub_view_objects(&v, c, &id, 1, all, &after, take, out, &err) != 0)
        fail_msg("%s %s", err_name(err.code), err.text);
    hub_view_close(&v);
    arena_reset(&t->readers[0].arena);
    return 0;
}

void hub_test_receive(struct hub_test *t, struct hub_party *partner, uint8_t secret, const char *collection,
                      const struct hub_event *event)
{
    uint8_t signature[CRYPTO_SIGNATURE];
    struct hub_event one = *event;
    struct hub_answer a;

    hub_test_sign(secret, one.origin, one.id, one.kind, one.object, signature);
    one.signature = slice_n((const char *)signature, sizeof signature);
    hub_answer_init(&a);
    struct submission sub = {.door = HUB_PARTNER,
                             .from = partner,
                             .collection = slice_of(collection),
                             .events = &one,
                             .n_events = 1,
                             .cursor_name = SLICE("south"),
                             .cursor = SLICE("1"),
                             .received_us = time_now_us(),
                             .done = hub_answer_take,
                             .arg = &a};
    assert_int_equal(hub_submit(t->hub, &sub, NULL), 0);
    hub_answer_wait(&a);
    assert_int_equal(a.accepted, 1);
    hub_answer_free(&a);
}

int hub_scene_make(void **state, const char *collection, const char *bank)
{
    struct hub_scene *s = mem_zero(1, sizeof *s);

    hub_test_open(&s->t);
    hub_test_collection(&s->t, "threats", collection, s->c);
    s->bank = hub_test_member(&s->t, "bank", bank);
    s->clinic = hub_test_member(&s->t, "clinic", "");
    s->port = hub_test_member(&s->t, "port", "");
    *state = s;
    return 0;
}

int hub_scene_set_up(void **state)
{
    return hub_scene_make(state, ",\"open\":true", "");
}

int hub_scene_tear_down(void **state)
{
    struct hub_scene *s = *state;

    hub_party_drop(&s->bank);
    hub_party_drop(&s->clinic);
    hub_party_drop(&s->port);
    hub_test_close(&s->t);
    arena_free(&s->a);
    free(s);
    return 0;
}

void hub_scene_submit(struct hub_scene *s, unsigned n, unsigned version, const char *marking, const char *more)
{
    hub_test_submit_good(&s->t, s->bank, s->c, hub_test_indicator(&s->a, n, version, marking, more).ptr);
}

void hub_test_disk(struct hub_test *t, long bytes)
{
    struct rlimit most;
    struct stat wal;
    char path[100];

    signal(SIGXFSZ, SIG_IGN);
    snprintf(path, sizeof path, "%s/store.db-wal", t->dir);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &most), 0);
    most.rlim_cur = bytes < 0 ? most.rlim_max : (rlim_t)((stat(path, &wal) == 0 ? wal.st_size : 0) + bytes);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &most), 0);
}

void hub_test_ledger(struct hub_test *t)
{
    struct ledger_tree tree = {.size = 0};
    uint8_t leaf[LEDGER_HASH], root[LEDGER_HASH], expected[LEDGER_HASH];
    uint64_t n = 0;
    struct err err = ERR_INIT;

    while (store_leaf_get(t->readers[0].reader, n, leaf, &err) == 0) {
        ledger_add(&tree, leaf);
        n++;
    }
    assert_int_equal(err.code, ERR_NOT_FOUND);
    pthread_mutex_lock(&t->hub->ledger_lock);
    uint64_t size = t->hub->tree.size;
    ledger_root(&t->hub->tree, root);
    pthread_mutex_unlock(&t->hub->ledger_lock);
    assert_int_equal(size, n);
    ledger_root(&tree, expected);
    assert_memory_equal(root, expected, sizeof root);
}

/* ---- chance ---- */

uint64_t chance_next(struct chance *c)
{
    c->state ^= c->state >> 12;
    c->state ^= c->state << 25;
    c->state ^= c->state >> 27;
    return c->state * UINT64_C(2685821657736338717);
}

uint32_t chance_below(struct chance *c, uint32_t n)
{
    return (uint32_t)((chance_next(c) >> 32) * n >> 32);
}

bool chance_one_in(struct chance *c, uint32_t n)
{
    return chance_below(c, n) == 0;
}
