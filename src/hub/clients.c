/* hub/clients.c: what the hub remembers of each connected program: in memory alone, bounded, for tocsin doctor. */
#include "hub/clients.h"

#include <stdio.h>
#include <stdlib.h>

enum { CELLS = 1024, MINUTE_US = 60000000 };
#define HOUR_US (60ll * MINUTE_US)

struct hub_clients {
    pthread_mutex_t lock;
    struct client *cells[CELLS]; /* by viewer */
    uint64_t uses;
    size_t n, n_unknown;
};

struct hub_clients *hub_clients_new(void)
{
    struct hub_clients *all = mem_zero(1, sizeof *all);

    pthread_mutex_init(&all->lock, NULL);
    return all;
}

void hub_clients_free(struct hub_clients **clients)
{
    struct hub_clients *all = *clients;

    *clients = NULL;
    if (all == NULL)
        return;
    for (size_t i = 0; i < CELLS; i++)
        while (all->cells[i] != NULL) {
            struct client *next = all->cells[i]->next;
            free(all->cells[i]);
            all->cells[i] = next;
        }
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* ---- finding one ---- */

static void keep(char *to, size_t size, struct slice text)
{
    size_t n = text.len < size - 1 ? text.len : size - 1;

    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)text.ptr[i] >= ' ' && (unsigned char)text.ptr[i] < 127 ? text.ptr[i] : '?';
    to[n] = '\0';
}

static void forget(struct hub_clients *all, struct client *gone)
{
    struct client **at = &all->cells[gone->viewer % CELLS];

    while (*at != gone)
        at = &(*at)->next;
    *at = gone->next;
    all->n--;
    all->n_unknown -= gone->viewer == UINT32_MAX;
    free(gone);
}

/* The one that came longest ago: of this viewer, or of all. */
static struct client *oldest(struct hub_clients *all, bool of_viewer, uint32_t viewer)
{
    struct client *found = NULL;

    for (size_t i = of_viewer ? viewer % CELLS : 0; i < (of_viewer ? viewer % CELLS + 1 : (size_t)CELLS); i++)
        for (struct client *c = all->cells[i]; c != NULL; c = c->next)
            if ((!of_viewer || c->viewer == viewer) && (found == NULL || c->used < found->used))
                found = c;
    return found;
}

static struct client *find(struct hub_clients *all, uint32_t viewer, uint64_t agent_hash)
{
    struct client *c = all->cells[viewer % CELLS];

    while (c != NULL && (c->viewer != viewer || c->agent_hash != agent_hash))
        c = c->next;
    return c;
}

static struct client *find_or_make(struct hub_clients *all, uint32_t viewer, uint64_t agent_hash, struct slice name)
{
    struct client *c = find(all, viewer, agent_hash);
    size_t each = 0;

    for (struct client *other = all->cells[viewer % CELLS]; c == NULL && other != NULL; other = other->next)
        each += other->viewer == viewer;
    if (c == NULL) {
        if (each >= (viewer == UINT32_MAX ? HUB_CLIENTS_UNKNOWN : HUB_CLIENTS_EACH))
            forget(all, oldest(all, true, viewer));
        else if (all->n >= HUB_CLIENTS_MAX)
            forget(all, oldest(all, false, 0));
        c = mem_zero(1, sizeof *c);
        c->viewer = viewer;
        c->agent_hash = agent_hash;
        c->last_after_us = INT64_MIN;
        c->next = all->cells[viewer % CELLS];
        all->cells[viewer % CELLS] = c;
        all->n++;
        all->n_unknown += viewer == UINT32_MAX;
        keep(c->name, sizeof c->name, name);
    }
    c->used = ++all->uses;
    return c;
}

/* Whose failed sign-in was it? Known names only: what was typed into a user's field may be a password. */
static bool claimed(struct hub *h, const struct http_head *head, uint32_t *viewer_out, char name_out[65])
{
    struct slice header = slice_trim(http_head_get(head, SLICE("Authorization"))), user;
    struct buf plain = BUF_INIT;
    bool found = false;

    if (header.len < 6 || !slice_eq_nocase(slice_to(header, 6), SLICE("Basic ")) ||
        !crypto_base64(slice_trim(slice_from(header, 6)), false, &plain)) {
        buf_free(&plain);
        return false;
    }
    struct slice rest = buf_slice(&plain);
    struct hub_directory *d = hub_directory_hold(h);
    slice_cut(&rest, ':', &user);
    const struct hub_member *m = hub_directory_member(d, user);
    const struct hub_partner *p = m == NULL ? hub_directory_partner(d, user) : NULL;
    if (m != NULL || p != NULL) {
        *viewer_out = m != NULL ? m->viewer : p->viewer;
        keep(name_out, 65, user);
        found = true;
    }
    hub_directory_drop(&d);
    crypto_wipe(plain.ptr, plain.len);
    buf_free(&plain);
    return found;
}

/* ---- what a request tells ---- */

/* The path with "..." for ids of objects, and parameters: of those that could tell whom or what is asked for, or hold a
   key, the name alone. */
static void put_line(const struct http_head *head, char *out, size_t size)
{
    struct buf line = BUF_INIT;
    struct slice path = head->path, query = head->query, one, name;
    size_t at = slice_find(path, SLICE("/objects/"));

    buf_printf(&line, SLICE_FMT " ", SLICE_ARG(head->method));
    buf_put(&line, at < path.len ? slice_to(path, at + 9) : path);
    if (at < path.len && path.len > at + 9)
        buf_put(&line, slice_find(path, SLICE("/versions")) < path.len ? SLICE(".../versions/") : SLICE(".../"));
    char mark = '?';
    while (query.len != 0 && slice_cut(&query, '&', &one)) {
        slice_cut(&one, '=', &name);
        bool shown = slice_eq(name, SLICE("limit")) || slice_eq(name, SLICE("added_after")) ||
                     slice_eq(name, SLICE("match[type]")) || slice_eq(name, SLICE("match[version]"));
        buf_printf(&line, "%c" SLICE_FMT "=", mark, SLICE_ARG(name));
        buf_put(&line, shown ? one : one.len != 0 ? SLICE("...") : SLICE(""));
        mark = '&';
    }
    keep(out, size, buf_slice(&line));
    buf_free(&line);
}

static enum client_fraction fraction_of(struct slice time)
{
    size_t dot = slice_find(time, SLICE(".")), n = 0;

    while (dot + 1 + n < time.len && time.ptr[dot + 1 + n] >= '0' && time.ptr[dot + 1 + n] <= '9')
        n++;
    return n == 0 ? CLIENT_SECONDS : n == 3 ? CLIENT_MILLIS : n == 6 ? CLIENT_MICROS : CLIENT_OTHER;
}

/* The first page of a poll: when, and from where. */
static void note_poll(struct client *c, const struct http_head *head, struct slice after, bool is_empty)
{
    int64_t us = INT64_MIN;

    c->polls++;
    if (c->poll_us != 0) {
        int64_t since = head->arrived_us - c->poll_us;
        c->interval_us = c->interval_us == 0 ? since : (3 * c->interval_us + since) / 4;
    }
    c->poll_us = head->arrived_us;
    if (after.ptr == NULL || after.len == 0 || !time_parse(after, &us)) {
        c->polls_from_start++;
    } else {
        c->fractions[fraction_of(after)]++;
        c->offsets += after.ptr[after.len - 1] != 'Z' && after.ptr[after.len - 1] != 'z';
        c->polls_stuck = us == c->last_after_us && !is_empty ? c->polls_stuck + 1 : 0;
    }
    c->last_after_us = us;
}

static void note_page(struct client *c, const struct http_head *head, struct arena *a, bool is_empty)
{
    struct slice after = http_query_get(a, head->query, SLICE("added_after")),
                 next = http_query_get(a, head->query, SLICE("next")),
                 limit = http_query_get(a, head->query, SLICE("limit")),
                 types = http_query_get(a, head->query, SLICE("match[type]"));
    uint64_t n;

    c->pages++;
    c->empty_pages += is_empty;
    c->next_blank += next.ptr != NULL && next.len == 0;
    c->type_relationship = c->type_relationship || slice_ends(types, SLICE(",relationship"));
    if (slice_u64(limit, &n)) {
        c->limits++;
        c->largest_limit = n > c->largest_limit ? n : c->largest_limit;
    }
    if (next.len != 0 && after.len == 0)
        c->next_alone++;
    else if (next.len != 0)
        c->next_and_after++;
    else
        note_poll(c, head, after, is_empty);
}

static void note_failure(struct client *c, const struct taxii_answered *w, int64_t minute_us)
{
    bool is_post = slice_eq(w->head->method, SLICE("POST"));
    enum err_code code = w->err != NULL ? w->err->code : ERR_NONE;

    c->refused++;
    c->posts_refused += is_post;
    if (c->streak_n++ == 0 || c->streak_status != w->status || c->streak_code != code) {
        c->streak_n = 1;
        c->streak_since_us = minute_us;
    }
    c->streak_status = w->status;
    c->streak_code = code;
    c->streak_is_bare = slice_trim(http_head_get(w->head, SLICE("Authorization"))).len == 0;
    /* The sentence may quote what was sent: of a body nothing is kept. */
    keep(c->streak_text, sizeof c->streak_text,
         slice_of(w->err == NULL                       ? ""
                  : is_post || w->err->text[0] == '\0' ? err_text(code)
                                                       : w->err->text));
    if (w->status == 415)
        keep(c->bad_media, sizeof c->bad_media, http_head_get(w->head, SLICE("Content-Type")));
    else if (w->status == 406)
        keep(c->bad_media, sizeof c->bad_media, http_head_get(w->head, SLICE("Accept")));
}

static void note_reading(struct client *c, const struct taxii_answered *w)
{
    const struct http_head *head = w->head;
    struct arena a = ARENA_INIT;

    if (w->is_page && slice_find(head->path, SLICE("/manifest")) < head->path.len)
        c->manifests++;
    else if (w->is_page)
        note_page(c, head, &a, w->is_empty);
    c->streams += slice_find(head->path, SLICE("/stream")) < head->path.len;
    c->no_slash += !slice_ends(head->path, SLICE("/"));
    arena_free(&a);
}

static void remember(struct client *c, const struct taxii_answered *w)
{
    const struct http_head *head = w->head;
    bool submitted = !slice_eq(head->method, SLICE("GET")) && w->status < 300;
    int64_t minute_us = head->arrived_us - head->arrived_us % MINUTE_US,
            hour_us = head->arrived_us - head->arrived_us % HOUR_US;

    keep(c->agent, sizeof c->agent, http_head_get(head, SLICE("User-Agent")));
    keep(c->accept, sizeof c->accept, http_head_get(head, SLICE("Accept")));
    keep(c->peer, sizeof c->peer, head->peer);
    c->lower_basic = c->lower_basic || slice_starts(http_head_get(head, SLICE("Authorization")), SLICE("basic "));
    if (c->n++ == 0) {
        c->first_us = hour_us;
        c->starts_at_discovery = slice_starts(head->path, SLICE("/taxii2"));
    }
    if (w->status >= 400) {
        note_failure(c, w, minute_us);
    } else {
        c->ok++;
        c->streak_n = 0;
    }
    if (submitted) {
        c->posts++;
        c->posts_hour_us = hour_us;
        c->last_us = hour_us > c->last_us ? hour_us : c->last_us;
        return;
    }
    c->last_us = minute_us;
    if (w->status < 300)
        note_reading(c, w);
    struct client_request *r = &c->ring[c->ring_n++ % HUB_CLIENTS_RING];
    *r = (struct client_request){.at_us = minute_us,
                                 .status = w->status,
                                 .code = w->err != NULL ? w->err->code : ERR_NONE,
                                 .took_us = time_now_us() - head->arrived_us,
                                 .sent = w->sent};
    put_line(head, r->line, sizeof r->line);
}

void hub_clients_note(void *hub, struct taxii_who *who, const struct taxii_answered *w)
{
    struct hub *h = hub;
    struct hub_clients *all = h->clients;
    const struct hub_party *party = (const struct hub_party *)who;
    struct slice agent = http_head_get(w->head, SLICE("User-Agent"));
    uint64_t agent_hash = hub_id_hash(agent) | 2;
    uint32_t viewer = UINT32_MAX;
    char name[65] = "";

    if (party == NULL && w->status < 400)
        return; /* discovery may be read by nobody */
    if (party != NULL) {
        viewer = party->viewer;
        keep(name, sizeof name, slice_of(party->name));
    } else {
        agent_hash = claimed(h, w->head, &viewer, name) ? 1 : hub_id_hash(w->head->peer) | 2;
    }
    pthread_mutex_lock(&all->lock);
    struct client *c = find_or_make(all, viewer, agent_hash, slice_of(name));
    c->is_partner = party != NULL && party->kind == HUB_PARTY_PARTNER;
    remember(c, w);
    struct client *failed = party != NULL ? find(all, viewer, 1) : NULL;
    if (failed != NULL && strcmp(failed->agent, c->agent) == 0) /* it has the right password now */
        forget(all, failed);
    pthread_mutex_unlock(&all->lock);
}

void hub_put_clients(struct hub *h, struct slice member, struct buf *out)
{
    struct hub_clients *all = h->clients;
    int64_t now = time_now_us();

    json_put_open(out, '[');
    pthread_mutex_lock(&all->lock);
    for (size_t i = 0; i < CELLS; i++)
        for (const struct client *c = all->cells[i]; c != NULL; c = c->next)
            if (member.len == 0 || slice_eq(slice_of(c->name), member))
                client_put(c, now, member.len != 0, out);
    pthread_mutex_unlock(&all->lock);
    json_put_close(out, ']');
}
