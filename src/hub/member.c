/* hub/member.c: the directory: who the members and partners are, which collections there are, and the policy made of
   them. Built anew from the stored rows at every change (a change is rare, a question is not), immutable from then on.
 */
#include "hub/doors.h"

#include <stdlib.h>

#include "base/log.h"

static const struct json_limits row_limits = {16, 10000, 1000, 1 << 20, 1 << 21};

/* A missing member of a row reads as empty, 0 or false: rows grow by new members. */
static struct slice text_of(struct arena *a, struct json row, const char *name)
{
    struct slice text = json_string(a, json_get(row, slice_of(name)));

    return text.ptr != NULL ? text : SLICE("");
}

static int64_t number_of(struct json row, const char *name, int64_t standard)
{
    int64_t value;

    return json_int(json_get(row, slice_of(name)), &value) ? value : standard;
}

static bool flag_of(struct json row, const char *name)
{
    bool value;

    return json_bool(json_get(row, slice_of(name)), &value) && value;
}

static const struct slice *texts_of(struct arena *a, struct json list, size_t *n_out)
{
    struct slice *items = arena_array(a, struct slice, json_count(list));
    size_t n = 0;

    json_each (v, list)
        if (json_kind(v) == JSON_STRING)
            items[n++] = json_string(a, v);
    *n_out = n;
    return items;
}

static void read_defaults(struct arena *a, struct json list, struct hub_member *m)
{
    struct hub_default *defaults = arena_array(a, struct hub_default, json_count(list));

    json_each (v, list) {
        struct hub_default *d = &defaults[m->n_defaults];
        d->collection = text_of(a, v, "collection");
        d->valid_for_us = number_of(v, "valid_for_us", 0);
        if (share_tlp_parse(text_of(a, v, "tlp"), &d->tlp))
            m->n_defaults++;
    }
    m->defaults = defaults;
}

static void read_member(struct arena *a, struct json row, struct hub_member *m)
{
    m->name = text_of(a, row, "name");
    m->organisation = text_of(a, row, "organisation");
    m->country = text_of(a, row, "country");
    m->sector = text_of(a, row, "sector");
    m->domains = texts_of(a, json_get(row, SLICE("domains")), &m->n_domains);
    m->client_of = texts_of(a, json_get(row, SLICE("client_of")), &m->n_client_of);
    if (!share_consent_parse(text_of(a, row, "consent"), &m->consent))
        m->consent = SHARE_CONSENT_NONE;
    m->government = flag_of(row, "government");
    m->may_write = flag_of(row, "may_write");
    m->read_only = texts_of(a, json_get(row, SLICE("read_only")), &m->n_read_only);
    m->write_only = texts_of(a, json_get(row, SLICE("write_only")), &m->n_write_only);
    hub_dialect_read(a, row, &m->dialect);
    m->has_receipt_key = crypto_hex(text_of(a, row, "receipt_key"), m->receipt_key, sizeof m->receipt_key);
    m->viewer = (uint32_t)number_of(row, "viewer", 0);
    hub_credentials_read(a, row, m->viewer, &m->credentials, &m->n_credentials);
    m->owner_text = arena_printf(a, SLICE_FMT "|%lld", SLICE_ARG(m->name), (long long)number_of(row, "epoch", 1));
    read_defaults(a, json_get(row, SLICE("defaults")), m);
}

static uint32_t categories_of(struct arena *a, struct json list)
{
    static const char *const names[SHARE_CATEGORIES] = {"indicator", "context", "sighting"};
    uint32_t bits = 0;

    json_each (v, list)
        for (uint32_t i = 0; i < SHARE_CATEGORIES; i++)
            if (slice_eq(json_string(a, v), slice_of(names[i])))
                bits |= 1u << i;
    return bits;
}

static void read_agreement(struct arena *a, struct json row, struct hub_partner *p)
{
    struct share_agreement *g = &p->agreement;

    g->id = text_of(a, row, "id");
    g->partner = p->hub_id;
    g->collections_out = texts_of(a, json_get(row, SLICE("collections_out")), &g->n_collections_out);
    if (!share_tlp_parse(text_of(a, row, "ceiling"), &g->ceiling))
        g->ceiling = SHARE_CLEAR;
    g->categories = categories_of(a, json_get(row, SLICE("categories")));
    g->k = (uint32_t)number_of(row, "k", 3);
    g->onward = flag_of(row, "onward");
    g->until_us = number_of(row, "until_us", INT64_MAX);
}

static int read_partner(struct arena *a, struct json row, struct hub_partner *p, struct err *err)
{
    struct json follow = json_get(row, SLICE("follow"));

    p->name = text_of(a, row, "name");
    p->hub_id = text_of(a, row, "hub_id");
    p->viewer = (uint32_t)number_of(row, "viewer", 0);
    hub_credentials_read(a, row, p->viewer, &p->credentials, &p->n_credentials);
    if (!crypto_hex(text_of(a, row, "key"), p->key, sizeof p->key))
        return err_set(err, ERR_CONF_VALUE, "/key", "the partner's public key is not 64 hexadecimal digits");
    read_agreement(a, json_get(row, SLICE("agreement")), p);
    p->foreign = flag_of(row, "foreign");
    p->has_default =
        p->foreign && share_tlp_parse(text_of(a, json_get(row, SLICE("agreement")), "default"), &p->default_tlp);
    p->poll_us = number_of(follow, "poll_us", 60000000);
    p->follows = json_kind(follow) == JSON_OBJECT;
    p->url = text_of(a, follow, "url");
    p->ca = text_of(a, follow, "ca");
    p->pin = text_of(a, follow, "pin");
    p->cert = text_of(a, follow, "cert");
    p->key_pem = text_of(a, follow, "key");
    p->user = text_of(a, follow, "user");
    p->follow_password = text_of(a, follow, "password");
    p->root = text_of(a, follow, "root");
    p->collection = text_of(a, follow, "collection");
    p->into = text_of(a, follow, "into");
    return 0;
}

int hub_profile_read(struct arena *a, struct json row, const struct stix_profile **out, struct err *err)
{
    struct slice name = text_of(a, row, "profile"), text = text_of(a, row, "profile_text");

    if (name.len == 0)
        name = SLICE("open");
    if (text.len == 0 && !stix_profile_builtin(name, &text))
        return err_set(err, ERR_CONF_VALUE, "/profile", "no profile \"" SLICE_FMT "\" comes with this hub",
                       SLICE_ARG(slice_to(name, 60)));
    return stix_profile_parse(a, "profile", text, out, err);
}

static void read_collection(struct arena *a, struct json row, struct hub_collection *c)
{
    struct err err = ERR_INIT;

    c->id = text_of(a, row, "id");
    c->name = text_of(a, row, "name");
    c->title = text_of(a, row, "title");
    c->description = text_of(a, row, "description");
    if (hub_profile_read(a, row, &c->profile, &err) != 0) {
        c->profile = NULL;
        log_event("profile_unreadable", TEXT("collection", c->name), ERROR_FIELD(&err));
    }
    c->audience.id = c->id;
    c->audience.open = flag_of(row, "open");
    c->audience.recipients = texts_of(a, json_get(row, SLICE("recipients")), &c->audience.n_recipients);
    c->audience.partners = texts_of(a, json_get(row, SLICE("partners")), &c->audience.n_partners);
}

/* Audience statements name partners as the operator does; the policy knows hubs by id. A name without a row names
 * nobody. */
static void resolve_partners(struct hub_directory *d)
{
    for (size_t i = 0; i < d->n_collections; i++) {
        struct share_collection *audience = &d->collections[i].audience;
        struct slice *ids = arena_array(&d->arena, struct slice, audience->n_partners);
        size_t n = 0;
        for (size_t k = 0; k < audience->n_partners; k++) {
            const struct hub_partner *p = hub_directory_partner(d, audience->partners[k]);
            if (p != NULL)
                ids[n++] = p->hub_id;
        }
        audience->partners = ids;
        audience->n_partners = n;
    }
}

static bool named_before(const struct hub_directory *before, struct hub_directory *d, struct hub_member *m)
{
    const struct hub_member *known = before != NULL ? hub_directory_member_of(before, m->viewer) : NULL;

    if (known == NULL || !slice_eq(known->owner_text, m->owner_text))
        return false;
    m->owner = known->owner;
    m->cover_id = arena_copy(&d->arena, known->cover_id);
    m->cover_name = arena_copy(&d->arena, known->cover_name);
    m->named_id = arena_copy(&d->arena, known->named_id);
    return true;
}

/* Asked of keys in three requests for all who are new. */
static int name_owners(struct hub_directory *d, const struct hub_directory *before, struct keys *keys, struct err *err)
{
    struct hub_member **fresh = arena_array(&d->arena, struct hub_member *, d->n_members);
    struct slice *texts = arena_array(&d->arena, struct slice, d->n_members);
    uint8_t(*macs)[CRYPTO_MAC] = arena_alloc(&d->arena, (d->n_members + 1) * sizeof *macs);
    size_t n = 0;

    for (size_t i = 0; i < d->n_members; i++)
        if (!named_before(before, d, &d->members[i]))
            fresh[n++] = &d->members[i];
    for (size_t i = 0; i < n; i++)
        texts[i] = fresh[i]->owner_text;
    if (n != 0 && keys_mac(keys, KEYS_MAC_OWNER, texts, n, macs, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        memcpy(&fresh[i]->owner, macs[i], sizeof fresh[i]->owner);
    if (n != 0 && keys_mac(keys, KEYS_MAC_COVER, texts, n, macs, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        fresh[i]->cover_id = share_minted_id(&d->arena, SLICE("identity--"), macs[i]);
        fresh[i]->cover_name = arena_printf(&d->arena, "anonymous source %02x%02x%02x%02x", macs[i][16], macs[i][17],
                                            macs[i][18], macs[i][19]);
        texts[i] = arena_printf(&d->arena, SLICE_FMT "|named", SLICE_ARG(fresh[i]->owner_text));
    }
    if (n != 0 && keys_mac(keys, KEYS_MAC_COVER, texts, n, macs, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        fresh[i]->named_id = share_minted_id(&d->arena, SLICE("identity--"), macs[i]);
    return 0;
}

static void make_policy(struct hub_directory *d)
{
    struct share_collection *collections = arena_array(&d->arena, struct share_collection, d->n_collections);
    struct share_agreement *agreements = arena_array(&d->arena, struct share_agreement, d->n_partners);
    struct buf canonical = BUF_INIT;

    for (size_t i = 0; i < d->n_collections; i++)
        collections[i] = d->collections[i].audience;
    for (size_t i = 0; i < d->n_partners; i++)
        agreements[i] = d->partners[i].agreement;
    d->policy = share_policy_build(&d->arena, collections, d->n_collections, agreements, d->n_partners);
    share_policy_hash(d->policy, &canonical);
    crypto_sha256(buf_slice(&canonical), d->policy_hash);
    buf_free(&canonical);
}

static int read_rows(struct hub_directory *d, const struct hub_raw_row *rows, size_t n, struct err *err)
{
    struct arena *a = &d->arena;

    d->members = arena_array(a, struct hub_member, n);
    d->partners = arena_array(a, struct hub_partner, n);
    d->collections = arena_array(a, struct hub_collection, n);
    for (size_t i = 0; i < n; i++) {
        struct slice text = arena_copy(a, rows[i].value);
        struct json row;
        if (json_parse(a, text, &row_limits, &row, err) != 0)
            return -1;
        if (rows[i].table == STORE_MEMBER) {
            d->members[d->n_members].row = text;
            read_member(a, row, &d->members[d->n_members++]);
        } else if (rows[i].table == STORE_PARTNER) {
            d->partners[d->n_partners].row = text;
            if (read_partner(a, row, &d->partners[d->n_partners++], err) != 0)
                return -1;
        } else {
            d->collections[d->n_collections].row = text;
            read_collection(a, row, &d->collections[d->n_collections++]);
        }
    }
    return 0;
}

static void index_viewer(struct hub_directory *d, uint32_t viewer, size_t place)
{
    if (viewer < d->n_by_viewer)
        d->by_viewer[viewer] = (uint32_t)place + 1;
}

static void index_viewers(struct hub_directory *d)
{
    uint32_t last = 0;

    for (size_t i = 0; i < d->n_members; i++)
        last = d->members[i].viewer > last ? d->members[i].viewer : last;
    for (size_t i = 0; i < d->n_partners; i++)
        last = d->partners[i].viewer > last ? d->partners[i].viewer : last;
    d->n_by_viewer = last < HUB_VIEWERS_MAX ? last + 1 : 0;
    d->by_viewer = arena_array(&d->arena, uint32_t, d->n_by_viewer);
    for (size_t i = 0; i < d->n_members; i++)
        index_viewer(d, d->members[i].viewer, i);
    for (size_t i = 0; i < d->n_partners; i++)
        index_viewer(d, d->partners[i].viewer, d->n_members + i);
}

int hub_directory_build(const struct hub_raw_row *rows, size_t n, const struct hub_directory *before, struct keys *keys,
                        uint64_t epoch, struct hub_directory **out, struct err *err)
{
    struct hub_directory *d = mem_zero(1, sizeof *d);

    atomic_init(&d->owners, 1);
    d->epoch = epoch;
    if (read_rows(d, rows, n, err) != 0 || name_owners(d, before, keys, err) != 0) {
        hub_directory_drop(&d);
        return -1;
    }
    index_viewers(d);
    hub_credentials_index(d);
    resolve_partners(d);
    make_policy(d);
    *out = d;
    return 0;
}

void hub_directory_drop(struct hub_directory **d)
{
    struct hub_directory *gone = *d;

    *d = NULL;
    if (gone == NULL || atomic_fetch_sub(&gone->owners, 1) != 1)
        return;
    arena_free(&gone->arena);
    free(gone);
}

struct hub_directory *hub_directory_hold(struct hub *h)
{
    pthread_mutex_lock(&h->directory_lock);
    struct hub_directory *d = h->directory;
    atomic_fetch_add(&d->owners, 1);
    pthread_mutex_unlock(&h->directory_lock);
    return d;
}

const struct hub_member *hub_directory_member(const struct hub_directory *d, struct slice name)
{
    for (size_t i = 0; i < d->n_members; i++)
        if (slice_eq(d->members[i].name, name))
            return &d->members[i];
    return NULL;
}

const struct hub_partner *hub_directory_partner(const struct hub_directory *d, struct slice name)
{
    for (size_t i = 0; i < d->n_partners; i++)
        if (slice_eq(d->partners[i].name, name))
            return &d->partners[i];
    return NULL;
}

const struct hub_collection *hub_directory_collection(const struct hub_directory *d, struct slice id_or_name)
{
    for (size_t i = 0; i < d->n_collections; i++)
        if (slice_eq(d->collections[i].id, id_or_name) || slice_eq(d->collections[i].name, id_or_name))
            return &d->collections[i];
    return NULL;
}

static bool names_collection(const struct slice *list, size_t n, const struct hub_collection *c)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(list[i], c->id) || slice_eq(list[i], c->name))
            return true;
    return false;
}

bool hub_member_may_read(const struct hub_member *m, const struct hub_collection *c)
{
    return m == NULL || !names_collection(m->write_only, m->n_write_only, c);
}

bool hub_member_may_write(const struct hub_member *m, const struct hub_collection *c)
{
    return m != NULL && m->may_write && !names_collection(m->read_only, m->n_read_only, c);
}

static struct slice title_of(const struct hub_collection *c)
{
    return c->title.len != 0 ? c->title : c->name;
}

int hub_directory_check_title(const struct hub_directory *d, const struct hub_collection *known, struct slice name,
                              struct slice title, struct err *err)
{
    if (known != NULL && title.len != 0 && !slice_eq(title, title_of(known)))
        return err_set(err, ERR_CONF_VALUE, "/title",
                       "members' tools know this collection by its title \"" SLICE_FMT "\", so it stays",
                       SLICE_ARG(title_of(known)));
    for (size_t i = 0; i < d->n_collections && known == NULL; i++)
        if (slice_eq(title_of(&d->collections[i]), title.len != 0 ? title : name))
            return err_set(err, ERR_CONF_VALUE, "/title", "collection " SLICE_FMT " has this title",
                           SLICE_ARG(d->collections[i].name));
    return 0;
}

const struct hub_member *hub_directory_member_of(const struct hub_directory *d, uint32_t viewer)
{
    size_t place = viewer < d->n_by_viewer ? d->by_viewer[viewer] : 0;

    return place != 0 && place <= d->n_members ? &d->members[place - 1] : NULL;
}

const struct hub_partner *hub_directory_partner_of(const struct hub_directory *d, uint32_t viewer)
{
    size_t place = viewer < d->n_by_viewer ? d->by_viewer[viewer] : 0;

    return place > d->n_members ? &d->partners[place - 1 - d->n_members] : NULL;
}

uint64_t hub_directory_epoch(struct hub *h)
{
    struct hub_directory *d = hub_directory_hold(h);
    uint64_t epoch = d->epoch;

    hub_directory_drop(&d);
    return epoch;
}

struct hub_party *hub_party_new(int kind, uint32_t viewer, uint64_t owner, struct slice name)
{
    struct hub_party *p = mem_zero(1, sizeof *p + name.len + 1);

    atomic_init(&p->owners, 1);
    p->kind = kind;
    p->viewer = viewer;
    p->owner = owner;
    memcpy(p->name, name.ptr, name.len);
    return p;
}

bool hub_party_is_good(const struct hub_directory *d, const struct hub_party *party)
{
    if (hub_directory_member_of(d, party->viewer) == NULL && hub_directory_partner_of(d, party->viewer) == NULL)
        return false;
    const struct hub_credential *c = hub_credential_of(d, party->viewer, party->credential);
    return party->credential == 0 || (c != NULL && hub_credential_is_on(c, time_now_us()));
}

struct hub_party *hub_party_hold(struct hub_party *p)
{
    if (p != NULL)
        atomic_fetch_add(&p->owners, 1);
    return p;
}

void hub_party_drop(struct hub_party **p)
{
    struct hub_party *gone = *p;

    *p = NULL;
    if (gone != NULL && atomic_fetch_sub(&gone->owners, 1) == 1)
        free(gone);
}

struct hub_party *hub_partner_party(struct hub *h, struct slice name)
{
    struct hub_directory *d = hub_directory_hold(h);
    const struct hub_partner *p = hub_directory_partner(d, name);
    struct hub_party *party = p != NULL ? hub_party_new(HUB_PARTY_PARTNER, p->viewer, 0, p->name) : NULL;

    hub_directory_drop(&d);
    return party;
}

size_t hub_links(struct hub *h, struct arena *a, struct hub_link **links_out)
{
    struct hub_directory *d = hub_directory_hold(h);
    struct hub_link *links = arena_array(a, struct hub_link, d->n_partners);
    size_t n = 0;

    for (size_t i = 0; i < d->n_partners; i++) {
        const struct hub_partner *p = &d->partners[i];
        if (!p->follows)
            continue;
        struct hub_link *l = &links[n++];
        *l = (struct hub_link){.name = arena_copy(a, p->name),
                               .hub_id = arena_copy(a, p->hub_id),
                               .url = arena_copy(a, p->url),
                               .ca = arena_copy(a, p->ca),
                               .user = arena_copy(a, p->user),
                               .password = arena_copy(a, p->follow_password),
                               .root = arena_copy(a, p->root),
                               .collection = arena_copy(a, p->collection),
                               .pin = arena_copy(a, p->pin),
                               .cert = arena_copy(a, p->cert),
                               .key_pem = arena_copy(a, p->key_pem),
                               .into = arena_copy(a, p->into),
                               .foreign = p->foreign,
                               .poll_us = p->poll_us,
                               .cursor = SLICE("")};
        memcpy(l->key, p->key, sizeof l->key);
        hub_cursor_get(h, a, l->name, &l->cursor);
    }
    hub_directory_drop(&d);
    *links_out = links;
    return n;
}

static void put_list(struct buf *out, const char *name, const struct slice *items, size_t n)
{
    json_put_key(out, slice_of(name));
    json_put_open(out, '[');
    for (size_t i = 0; i < n; i++)
        json_put_string(out, items[i]);
    json_put_close(out, ']');
}

static void put_rows(struct hub *h, enum store_table table, struct buf *out)
{
    struct hub_directory *d = hub_directory_hold(h);

    json_put_open(out, '[');
    for (size_t i = 0; table == STORE_MEMBER && i < d->n_members; i++) {
        const struct hub_member *m = &d->members[i];
        json_put_open(out, '{');
        json_put_text(out, "name", m->name);
        json_put_text(out, "organisation", m->organisation);
        json_put_text(out, "country", m->country);
        json_put_text(out, "sector", m->sector);
        json_put_key(out, SLICE("government"));
        json_put_bool(out, m->government);
        json_put_key(out, SLICE("may_write"));
        json_put_bool(out, m->may_write);
        put_list(out, "read_only", m->read_only, m->n_read_only);
        put_list(out, "write_only", m->write_only, m->n_write_only);
        hub_dialect_put(&m->dialect, out);
        json_put_close(out, '}');
    }
    for (size_t i = 0; table == STORE_COLLECTION && i < d->n_collections; i++)
        json_put_raw(out, d->collections[i].row);
    for (size_t i = 0; table == STORE_PARTNER && i < d->n_partners; i++) {
        const struct hub_partner *p = &d->partners[i];
        json_put_open(out, '{');
        json_put_text(out, "name", p->name);
        json_put_text(out, "hub_id", p->hub_id);
        json_put_text(out, "follows", p->url);
        json_put_text(out, "ceiling", share_tlp_name(p->agreement.ceiling));
        json_put_number(out, "k", p->agreement.k);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
    hub_directory_drop(&d);
}

void hub_put_members(struct hub *h, struct buf *out)
{
    put_rows(h, STORE_MEMBER, out);
}

void hub_put_collections(struct hub *h, struct buf *out)
{
    put_rows(h, STORE_COLLECTION, out);
}

void hub_put_partners(struct hub *h, struct buf *out)
{
    put_rows(h, STORE_PARTNER, out);
}
