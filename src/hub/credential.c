/* hub/credential.c: credentials as members' rows hold them: what each is checked against, and what it may. A member's
   row keeps them as "credentials":[{"name","kind","check",...}]; the first password stands as "password_hash" until it
   is changed. */
#include "hub/doors.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- addresses ---- */

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool hub_address_parse(struct slice text, uint8_t out[16])
{
    char plain[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof plain)
        return false;
    memcpy(plain, text.ptr, text.len);
    plain[text.len] = '\0';
    memcpy(out, v4_mapped, sizeof v4_mapped);
    return inet_pton(AF_INET, plain, out + sizeof v4_mapped) == 1 || inet_pton(AF_INET6, plain, out) == 1;
}

bool hub_network_parse(struct slice text, struct hub_network *out)
{
    struct slice rest = text, address;
    uint64_t bits;

    slice_cut(&rest, '/', &address);
    if (!hub_address_parse(address, out->bytes))
        return false;
    bool v4 = memchr(address.ptr, ':', address.len) == NULL;
    if (rest.ptr == NULL)
        bits = v4 ? 32 : 128;
    else if (!slice_u64(rest, &bits) || bits > (v4 ? 32 : 128))
        return false;
    out->bits = (uint8_t)(v4 ? bits + 96 : bits);
    return true;
}

static bool network_has(const struct hub_network *n, const uint8_t address[16])
{
    size_t whole = n->bits / 8;
    unsigned rest = n->bits % 8;

    return memcmp(n->bytes, address, whole) == 0 &&
           (rest == 0 || ((n->bytes[whole] ^ address[whole]) >> (8 - rest) & 0xff) == 0);
}

bool hub_credential_is_from(const struct hub_credential *c, struct slice peer)
{
    uint8_t address[16];

    if (c->n_networks == 0)
        return true;
    if (!hub_address_parse(peer, address))
        return false;
    for (size_t i = 0; i < c->n_networks; i++)
        if (network_has(&c->networks[i], address))
            return true;
    return false;
}

bool hub_credential_is_on(const struct hub_credential *c, int64_t now_us)
{
    return now_us < c->until_us;
}

/* ---- rows ---- */

static const char *const kinds[] = {"password", "token", "certificate"};
static const char *const rights[] = {"all", "read", "retract"};

static bool word_of(const char *const *words, size_t n, struct slice text, int *out)
{
    for (size_t i = 0; i < n; i++)
        if (slice_eq(text, slice_of(words[i]))) {
            *out = (int)i;
            return true;
        }
    return false;
}

static int64_t number_of(struct json row, const char *name, int64_t standard)
{
    int64_t value;

    return json_int(json_get(row, slice_of(name)), &value) ? value : standard;
}

static void put_networks(struct buf *out, const struct hub_credential *c)
{
    json_put_key(out, SLICE("networks"));
    json_put_open(out, '[');
    for (size_t i = 0; i < c->n_networks; i++) {
        const struct hub_network *n = &c->networks[i];
        bool v4 = n->bits >= 96 && memcmp(n->bytes, v4_mapped, sizeof v4_mapped) == 0;
        char text[INET6_ADDRSTRLEN + 4];
        inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? n->bytes + 12 : n->bytes, text, INET6_ADDRSTRLEN);
        snprintf(text + strlen(text), 5, "/%d", v4 ? n->bits - 96 : n->bits);
        json_put_string(out, slice_of(text));
    }
    json_put_close(out, ']');
}

static void put_credential(struct buf *out, const struct hub_credential *c)
{
    json_put_open(out, '{');
    json_put_text(out, "name", c->name);
    json_put_text(out, "kind", slice_of(kinds[c->kind]));
    json_put_text(out, "check", c->check);
    if (c->subject.len != 0)
        json_put_text(out, "subject", c->subject);
    json_put_number(out, "created_us", c->created_us);
    if (c->until_us != INT64_MAX)
        json_put_number(out, "until_us", c->until_us);
    json_put_text(out, "rights", slice_of(rights[c->rights]));
    json_put_number(out, "requests", c->requests);
    json_put_number(out, "objects", c->objects);
    put_networks(out, c);
    json_put_close(out, '}');
}

/* Whoever is inside came in by what the credential was: by another secret, or within other limits, it asks again. */
static void make_id(struct hub_credential *c)
{
    struct buf text = BUF_INIT;

    put_credential(&text, c);
    c->id = hub_id_hash(buf_slice(&text));
    buf_free(&text);
}

static void read_networks(struct arena *a, struct json list, struct hub_credential *c)
{
    struct hub_network *networks = arena_array(a, struct hub_network, json_count(list));

    json_each (v, list)
        if (hub_network_parse(json_string(a, v), &networks[c->n_networks]))
            c->n_networks++;
    c->networks = networks;
}

/* false: a row that this program does not understand opens nothing. */
static bool read_credential(struct arena *a, struct json row, struct hub_credential *c)
{
    int kind, right;

    c->name = hub_text_of(a, row, "name");
    c->check = hub_text_of(a, row, "check");
    c->subject = hub_text_of(a, row, "subject");
    c->created_us = number_of(row, "created_us", 0);
    c->until_us = number_of(row, "until_us", INT64_MAX);
    c->requests = number_of(row, "requests", 0);
    c->objects = number_of(row, "objects", 0);
    read_networks(a, json_get(row, SLICE("networks")), c);
    if (!word_of(kinds, 3, hub_text_of(a, row, "kind"), &kind) ||
        !word_of(rights, 3, hub_text_of(a, row, "rights"), &right) ||
        c->n_networks != json_count(json_get(row, SLICE("networks"))))
        return false;
    c->kind = kind;
    c->rights = right;
    if (c->kind != HUB_PASSWORD && !crypto_hex(c->check, c->key, sizeof c->key))
        return false;
    make_id(c);
    return c->check.len != 0;
}

void hub_credentials_read(struct arena *a, struct json row, uint32_t viewer, struct hub_credential **out, size_t *n_out)
{
    struct json list = json_get(row, SLICE("credentials"));
    struct slice first = hub_text_of(a, row, "password_hash");
    struct hub_credential *all = arena_array(a, struct hub_credential, json_count(list) + 1);
    size_t n = 0;

    if (first.len != 0) {
        all[n] = (struct hub_credential){
            .name = SLICE("password"), .kind = HUB_PASSWORD, .check = first, .until_us = INT64_MAX, .viewer = viewer};
        make_id(&all[n++]);
    }
    json_each (v, list) {
        struct hub_credential c = {.viewer = viewer};
        if (read_credential(a, v, &c))
            all[n++] = c;
    }
    *out = all;
    *n_out = n;
}

/* ---- finding ---- */

static int by_key(const void *a, const void *b)
{
    const struct hub_credential *const *x = a, *const *y = b;

    return memcmp((*x)->key, (*y)->key, CRYPTO_HASH);
}

static void index_keys(struct hub_directory *d, const struct hub_credential *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].kind != HUB_PASSWORD)
            d->by_key[d->n_by_key++] = &all[i];
}

void hub_credentials_index(struct hub_directory *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n_members; i++)
        n += d->members[i].n_credentials;
    d->by_key = arena_array(&d->arena, const struct hub_credential *, n);
    for (size_t i = 0; i < d->n_members; i++)
        index_keys(d, d->members[i].credentials, d->members[i].n_credentials);
    if (d->n_by_key != 0)
        qsort(d->by_key, d->n_by_key, sizeof d->by_key[0], by_key);
}

const struct hub_credential *hub_credential_by_key(const struct hub_directory *d, enum hub_credential_kind kind,
                                                   const uint8_t key[CRYPTO_HASH])
{
    struct hub_credential wanted = {.kind = kind};
    const struct hub_credential *at = &wanted;

    memcpy(wanted.key, key, CRYPTO_HASH);
    const struct hub_credential *const *found =
        d->n_by_key != 0 ? bsearch(&at, d->by_key, d->n_by_key, sizeof d->by_key[0], by_key) : NULL;
    return found != NULL && (*found)->kind == kind ? *found : NULL;
}

static const struct hub_credential *find_id(const struct hub_credential *all, size_t n, uint64_t id)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].id == id)
            return &all[i];
    return NULL;
}

const struct hub_credential *hub_credential_of(const struct hub_directory *d, uint32_t viewer, uint64_t id)
{
    const struct hub_member *m = hub_directory_member_of(d, viewer);
    const struct hub_partner *p = m == NULL ? hub_directory_partner_of(d, viewer) : NULL;

    return m != NULL   ? find_id(m->credentials, m->n_credentials, id)
           : p != NULL ? find_id(p->credentials, p->n_credentials, id)
                       : NULL;
}

const struct hub_credential *hub_credential_password(const struct hub_directory *d, struct slice user)
{
    const struct hub_member *m = hub_directory_member(d, user);
    const struct hub_partner *p = m == NULL ? hub_directory_partner(d, user) : NULL;
    const struct hub_credential *all = m != NULL ? m->credentials : p != NULL ? p->credentials : NULL;
    size_t n = m != NULL ? m->n_credentials : p != NULL ? p->n_credentials : 0;

    for (size_t i = 0; i < n; i++)
        if (all[i].kind == HUB_PASSWORD)
            return &all[i];
    return NULL;
}

bool hub_credential_may_submit(const struct hub_directory *d, uint32_t viewer, uint64_t id)
{
    const struct hub_credential *c = hub_credential_of(d, viewer, id);

    return id == 0 || (c != NULL && c->rights == HUB_RIGHTS_ALL);
}

void hub_token_key(const struct hub *h, struct slice token, uint8_t out[CRYPTO_HASH])
{
    uint8_t key[CRYPTO_KEY];

    crypto_derive(h->token_key, "members' tokens", key);
    crypto_mac(key, token, out);
    crypto_wipe(key, sizeof key);
}

void hub_subject_key(struct slice subject, uint8_t out[CRYPTO_HASH])
{
    crypto_sha256_2(SLICE("subject of a certificate: "), subject, out);
}

/* ---- acts ---- */

static const struct hub_credential *find_name(const struct hub_member *m, struct slice name)
{
    for (size_t i = 0; i < m->n_credentials; i++)
        if (slice_eq(m->credentials[i].name, name))
            return &m->credentials[i];
    return NULL;
}

/* The member's row with this list of credentials (a member of an object) in the place of its own, and without the
   first `n_gone` of what may open anything beside it. */
static int row_with_list(struct arena *a, const struct hub_member *m, size_t n_gone, struct slice list,
                         struct slice *row_out, struct err *err)
{
    static const char *const names[] = {"password_hash", "credentials", "invitation"};
    struct json_edit edits[3];
    struct buf text = BUF_INIT;
    struct json row;
    size_t n = 0;

    if (json_parse(a, m->row, &hub_act_limits, &row, err) != 0)
        return -1;
    for (size_t i = 0; i < n_gone; i++) {
        struct json gone = json_get(row, slice_of(names[i]));
        if (json_kind(gone) != JSON_ABSENT)
            edits[n++] = (struct json_edit){gone, {NULL, 0}, 0};
    }
    json_edit_sort(edits, n);
    json_splice(&text, row, edits, n, list);
    *row_out = arena_copy(a, buf_slice(&text));
    buf_free(&text);
    return 0;
}

int hub_credentials_end(struct hub_commit *c, struct arena *a, const struct hub_member *m, struct err *err)
{
    struct slice changed;

    return row_with_list(a, m, 3, SLICE("\"credentials\":[]"), &changed, err) == 0
               ? hub_commit_change_row(c, STORE_MEMBER, m->name, changed, err)
               : -1;
}

/* Another list of credentials: the old one but `out_name`, and `in` where it is not NULL. */
static int put_list(struct hub_commit *c, struct hub_job *job, const struct hub_member *m, struct slice out_name,
                    const struct hub_credential *in, struct err *err)
{
    struct buf list = BUF_INIT;
    struct slice changed;

    json_put_key(&list, SLICE("credentials"));
    json_put_open(&list, '[');
    for (size_t i = 0; i < m->n_credentials; i++)
        if (!slice_eq(m->credentials[i].name, out_name))
            put_credential(&list, &m->credentials[i]);
    if (in != NULL)
        put_credential(&list, in);
    json_put_close(&list, ']');
    int result = row_with_list(&job->arena, m, 2, buf_slice(&list), &changed, err);
    buf_free(&list);
    return result == 0 ? hub_commit_put_row(c, job, STORE_MEMBER, m->name, changed, err) : -1;
}

/* A limit that is named takes the place of the old one. */
static int read_limits(struct arena *a, struct json detail, struct hub_credential *c, struct err *err)
{
    struct json networks = json_get(detail, SLICE("networks"));
    struct slice right = hub_text_of(a, detail, "rights");
    int which = c->rights;

    if (right.len != 0 && !word_of(rights, 3, right, &which))
        return err_set(err, ERR_CONF_VALUE, "/rights", "all, read or retract");
    c->rights = which;
    c->until_us = number_of(detail, "until_us", c->until_us);
    c->requests = number_of(detail, "requests", c->requests);
    c->objects = number_of(detail, "objects", c->objects);
    if (c->requests < 0 || c->objects < 0)
        return err_set(err, ERR_CONF_VALUE, "/requests",
                       "a rate is a number of a minute; 0: as the hub's settings say");
    if (json_count(networks) > HUB_NETWORKS_MAX)
        return err_set(err, ERR_CONF_VALUE, "/networks", "no more than %d networks", HUB_NETWORKS_MAX);
    if (json_kind(networks) != JSON_ARRAY)
        return 0;
    c->n_networks = 0;
    read_networks(a, networks, c);
    if (c->n_networks != json_count(networks))
        return err_set(err, ERR_CONF_VALUE, "/networks",
                       "a network is 192.0.2.0/24, 2001:db8::/32 or a single address");
    return 0;
}

/* What a new credential is checked against. */
static int make_check(struct hub_commit *c, struct hub_job *job, struct json detail, struct hub_credential *new,
                      struct err *err)
{
    struct arena *a = &job->arena;
    uint8_t bytes[32];
    struct buf text = BUF_INIT, hex = BUF_INIT;
    struct slice fingerprint = hub_text_of(a, detail, "fingerprint");

    if (new->kind == HUB_PASSWORD) {
        new->check = hub_text_of(a, detail, "password_hash");
        return new->check.len != 0 ? 0 : err_set(err, ERR_CONF_VALUE, "/password", "a password is missing");
    }
    if (new->kind == HUB_TOKEN) {
        crypto_random(bytes, sizeof bytes);
        buf_put(&text, SLICE(HUB_TOKEN_PREFIX));
        crypto_put_base64(&text, slice_n((const char *)bytes, sizeof bytes), true);
        hub_token_key(hub_commit_hub(c), buf_slice(&text), new->key);
        job->outcome.detail = arena_printf(a, "{\"secret\":\"" SLICE_FMT "\"}", (int)text.len, text.ptr);
    } else {
        new->subject = hub_text_of(a, detail, "subject");
        if (new->subject.len != 0)
            hub_subject_key(new->subject, new->key);
        else if (!crypto_hex(fingerprint, new->key, sizeof new->key))
            return err_set(err, ERR_CONF_VALUE, "/fingerprint",
                           "a certificate is known by its subject, or by its SHA-256: 64 hexadecimal digits");
    }
    crypto_put_hex(&hex, new->key, sizeof new->key);
    new->check = arena_copy(a, buf_slice(&hex));
    crypto_wipe(text.ptr, text.len);
    buf_free(&text);
    buf_free(&hex);
    return 0;
}

static int check_new(const struct hub_directory *d, const struct hub_member *m, const struct hub_credential *new,
                     struct err *err)
{
    if (m->n_credentials >= HUB_CREDENTIALS_MAX)
        return err_set(err, ERR_CONF_VALUE, "/name", "a member has no more than %d credentials", HUB_CREDENTIALS_MAX);
    if (new->kind == HUB_PASSWORD && hub_credential_password(d, m->name) != NULL)
        return err_set(err, ERR_CONF_VALUE, "/name", "the member has a password: remove it first, or add a token");
    const struct hub_credential *other =
        new->kind == HUB_CERTIFICATE ? hub_credential_by_key(d, HUB_CERTIFICATE, new->key) : NULL;
    if (other != NULL)
        return err_set(err, ERR_CONF_VALUE, "/fingerprint", "this certificate is a credential already");
    return 0;
}

int hub_credential_put(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    struct arena *a = &job->arena;
    const struct hub_directory *d = hub_commit_directory_now(c);
    struct slice name = hub_text_of(a, detail, "name"), kind_word = hub_text_of(a, detail, "kind");
    const struct hub_member *m = hub_directory_member(d, hub_text_of(a, detail, "member"));
    struct hub_credential new = {.name = name, .created_us = time_now_us(), .until_us = INT64_MAX};
    int kind = 0;

    if (m == NULL)
        return err_set(err, ERR_NOT_FOUND, "/member", "no such member");
    const struct hub_credential *old = find_name(m, name);
    if (kind_word.len == 0 && old == NULL)
        return err_set(err, ERR_NOT_FOUND, "/name", "the member has no credential \"" SLICE_FMT "\"", SLICE_ARG(name));
    if (kind_word.len != 0 && old != NULL)
        return err_set(err, ERR_CONF_VALUE, "/name", "the member has a credential \"" SLICE_FMT "\" already",
                       SLICE_ARG(name));
    if (kind_word.len == 0) {
        new = *old;
    } else if (!word_of(kinds, 3, kind_word, &kind)) {
        return err_set(err, ERR_CONF_VALUE, "/kind", "password, token or certificate");
    } else {
        new.kind = kind;
        if (!hub_is_name(name))
            return err_set(err, ERR_CONF_VALUE, "/name", "a name has 1 to 64 letters, digits, '-', '_' or '.'");
        if (make_check(c, job, detail, &new, err) != 0 || check_new(d, m, &new, err) != 0)
            return -1;
    }
    if (read_limits(a, detail, &new, err) != 0)
        return -1;
    return put_list(c, job, m, name, &new, err);
}

int hub_credential_remove(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    const struct hub_member *m =
        hub_directory_member(hub_commit_directory_now(c), hub_text_of(&job->arena, detail, "member"));
    struct slice name = hub_text_of(&job->arena, detail, "name");

    if (m == NULL)
        return err_set(err, ERR_NOT_FOUND, "/member", "no such member");
    if (find_name(m, name) == NULL)
        return err_set(err, ERR_NOT_FOUND, "/name", "the member has no credential \"" SLICE_FMT "\"", SLICE_ARG(name));
    return put_list(c, job, m, name, NULL, err);
}

const char *hub_credential_kind_word(enum hub_credential_kind kind)
{
    return kinds[kind];
}

/* ---- the operator's list ---- */

static void put_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT];

    time_put(text, us);
    json_put_text(out, name, slice_n(text, sizeof text));
}

static void put_listed(struct hub *h, struct buf *out, struct slice member, const struct hub_credential *c)
{
    static const int64_t hour_us = 3600LL * 1000000;
    int64_t last = hub_rates_last(h->doors->rates, c->id);

    json_put_open(out, '{');
    json_put_text(out, "member", member);
    json_put_text(out, "name", c->name);
    json_put_text(out, "kind", slice_of(kinds[c->kind]));
    json_put_text(out, "rights", slice_of(rights[c->rights]));
    if (c->created_us != 0)
        put_time(out, "created", c->created_us);
    if (c->until_us != INT64_MAX)
        put_time(out, "until", c->until_us);
    if (c->kind == HUB_CERTIFICATE)
        json_put_text(out, c->subject.len != 0 ? "subject" : "fingerprint",
                      c->subject.len != 0 ? c->subject : c->check);
    json_put_number(out, "requests", c->requests != 0 ? c->requests : h->settings.requests);
    json_put_number(out, "objects", c->objects != 0 ? c->objects : h->settings.objects);
    put_networks(out, c);
    if (last != 0) /* to the hour, and only since the hub's start: enough to see what nobody uses */
        put_time(out, "used", (time_now_us() - (time_steady_us() - last)) / hour_us * hour_us);
    json_put_close(out, '}');
}

void hub_certificate_ends(struct hub *h, void (*fn)(void *arg, struct slice member, int64_t until_us), void *arg)
{
    struct hub_directory *d = hub_directory_hold(h);

    for (size_t i = 0; i < d->n_members; i++) {
        const struct hub_member *m = &d->members[i];
        int64_t last_us = INT64_MIN;
        for (size_t k = 0; k < m->n_credentials; k++)
            if (m->credentials[k].kind == HUB_CERTIFICATE && m->credentials[k].until_us > last_us)
                last_us = m->credentials[k].until_us;
        if (last_us != INT64_MIN)
            fn(arg, m->name, last_us);
    }
    hub_directory_drop(&d);
}

void hub_put_credentials(struct hub *h, struct buf *out)
{
    struct hub_directory *d = hub_directory_hold(h);

    json_put_open(out, '[');
    for (size_t i = 0; i < d->n_members; i++)
        for (size_t k = 0; k < d->members[i].n_credentials; k++)
            put_listed(h, out, d->members[i].name, &d->members[i].credentials[k]);
    json_put_close(out, ']');
    hub_directory_drop(&d);
}
