/* hub/enrol.c: how a member comes to a client certificate: by a code that the operator gave it, once, or (before the
   one it signs in with ends) by that one. The key is made at the member and never leaves; keys signs (keys_certify());
   the fingerprint becomes a credential of the member, so that removing that credential ends the certificate at once. */
#include "hub/doors.h"

#include <stdlib.h>

#include "base/crypto_cert.h"
#include "base/log.h"

enum {
    CODE_LETTERS = 16,      /* of 32: 80 bits, so that guessing is hopeless even without HUB_FAILURES_FREE */
    CODE_GROUP = 4,         /* written with a dash between */
    CODE_SENT_MAX = 64,     /* as a person may type it */
    CERTIFICATE_DAYS = 365, /* a sensor renews 30 days before the end */
    CERTIFICATES_KEPT = 4,  /* of those a member was issued: a renewal whose answer was lost must not lock it out */
    INVITATION_DAYS_MAX = 30,
};
#define DAY_US             (INT64_C(86400) * 1000000)
#define CERTIFICATE_PREFIX "certificate-"

static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's: none that is taken for another */
static const struct json_limits body_limits = {4, 100, 20, 4096, 8192};

/* ---- codes ---- */

/* As it was made, however it was typed. Empty: it can be no code. */
static struct slice plain_code(struct arena *a, struct slice typed)
{
    char *out = arena_alloc(a, CODE_LETTERS + 1);
    size_t n = 0;

    for (size_t i = 0; i < typed.len && typed.len <= CODE_SENT_MAX; i++) {
        char c = typed.ptr[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
        if (c == '-' || c == ' ')
            continue;
        if (n == CODE_LETTERS || strchr(letters, c) == NULL || c == '\0')
            return SLICE("");
        out[n++] = c;
    }
    return n == CODE_LETTERS ? slice_n(out, n) : SLICE("");
}

/* The hub keeps this alone. */
static struct slice code_check(const struct hub *h, struct arena *a, struct slice plain)
{
    uint8_t key[CRYPTO_KEY], mac[CRYPTO_MAC];
    struct buf hex = BUF_INIT;

    crypto_derive(h->token_key, "invitations", key);
    crypto_mac(key, plain, mac);
    crypto_put_hex(&hex, mac, sizeof mac);
    struct slice text = arena_copy(a, buf_slice(&hex));
    buf_free(&hex);
    crypto_wipe(key, sizeof key);
    return text;
}

static void make_code(char out[CODE_LETTERS + CODE_LETTERS / CODE_GROUP])
{
    size_t n = 0;

    for (size_t i = 0; i < CODE_LETTERS; i++) {
        if (i != 0 && i % CODE_GROUP == 0)
            out[n++] = '-';
        out[n++] = letters[crypto_random_below(sizeof letters - 1)];
    }
    out[n] = '\0';
}

/* ---- acts, on the committer ---- */

/* The member's row with these members in place of its own. */
static int change_row(struct hub_commit *c, struct hub_job *job, const struct hub_member *m, struct slice change_text,
                      struct err *err)
{
    struct json change;
    struct slice row;

    if (json_parse(&job->arena, change_text, &hub_act_limits, &change, err) != 0 ||
        hub_member_row_changed(&job->arena, m, change, &row, err) != 0)
        return -1;
    return hub_commit_put_row(c, job, STORE_MEMBER, m->name, row, err);
}

int hub_invite(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    struct arena *a = &job->arena;
    const struct hub_member *m = hub_directory_member(hub_commit_directory_now(c), hub_text_of(a, detail, "name"));
    char code[CODE_LETTERS + CODE_LETTERS / CODE_GROUP];
    int64_t valid_us = 0;
    struct buf change = BUF_INIT;

    if (m == NULL)
        return err_set(err, ERR_NOT_FOUND, "/name", "there is no such member");
    if (!json_int(json_get(detail, SLICE("valid_us")), &valid_us) || valid_us <= 0 ||
        valid_us > INVITATION_DAYS_MAX * DAY_US)
        return err_set(err, ERR_CONF_VALUE, "/valid_us", "an invitation lasts at most %d days", INVITATION_DAYS_MAX);
    make_code(code);
    json_put_open(&change, '{');
    json_put_key(&change, SLICE("invitation"));
    json_put_open(&change, '{');
    json_put_text(&change, "check", code_check(hub_commit_hub(c), a, plain_code(a, slice_of(code))));
    json_put_number(&change, "until_us", time_now_us() + valid_us);
    json_put_text(&change, "ca", hub_text_of(a, detail, "ca"));
    json_put_text(&change, "collection", hub_text_of(a, detail, "collection"));
    json_put_close(&change, '}');
    json_put_close(&change, '}');
    job->outcome.detail = arena_printf(a, "{\"code\":\"%s\"}", code);
    int status = change_row(c, job, m, arena_copy(a, buf_slice(&change)), err);
    buf_free(&change);
    crypto_wipe(code, sizeof code);
    return status;
}

static bool is_issued(struct arena *a, struct json credential)
{
    return slice_starts(hub_text_of(a, credential, "name"), SLICE(CERTIFICATE_PREFIX));
}

/* The member's credentials as they stand, without the oldest of those issued here where they are too many. */
static void put_kept(struct arena *a, struct json row, struct buf *out)
{
    struct json list = json_get(row, SLICE("credentials"));
    size_t issued = 0;

    json_each (v, list)
        issued += is_issued(a, v);
    json_each (v, list) {
        if (is_issued(a, v) && issued >= CERTIFICATES_KEPT) {
            issued--; /* they stand in the order in which they were put */
            continue;
        }
        json_put_raw(out, json_raw(v));
    }
}

/* A credential for a certificate; its rights and limits are those of `like` (JSON_ABSENT: all, none). */
static void put_certificate(struct arena *a, struct json detail, struct json like, struct buf *out)
{
    static const char *const limits[] = {"requests", "objects", "networks"};
    struct slice rights = hub_text_of(a, like, "rights");
    int64_t until_us = 0;

    json_int(json_get(detail, SLICE("until_us")), &until_us);
    json_put_open(out, '{');
    json_put_text(
        out, "name",
        arena_printf(a, CERTIFICATE_PREFIX SLICE_FMT, SLICE_ARG(slice_to(hub_text_of(a, detail, "fingerprint"), 16))));
    json_put_text(out, "kind", SLICE("certificate"));
    json_put_text(out, "check", hub_text_of(a, detail, "fingerprint"));
    json_put_number(out, "created_us", time_now_us());
    json_put_number(out, "until_us", until_us);
    json_put_text(out, "rights", rights.len != 0 ? rights : SLICE("all"));
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct json v = json_get(like, slice_of(limits[i]));
        if (json_kind(v) == JSON_ABSENT)
            continue;
        json_put_key(out, slice_of(limits[i]));
        json_put_raw(out, json_raw(v));
    }
    json_put_close(out, '}');
}

/* One change of the row: the invitation, where it was one, is used up with the credential that it gave. */
static int add_certificate(struct hub_commit *c, struct hub_job *job, const struct hub_member *m, struct json row,
                           struct json detail, struct json like, bool use_up, struct err *err)
{
    struct buf change = BUF_INIT;

    json_put_open(&change, '{');
    if (use_up) {
        json_put_key(&change, SLICE("invitation"));
        json_put_raw(&change, SLICE("null"));
    }
    json_put_key(&change, SLICE("credentials"));
    json_put_open(&change, '[');
    put_kept(&job->arena, row, &change);
    put_certificate(&job->arena, detail, like, &change);
    json_put_close(&change, ']');
    json_put_close(&change, '}');
    int status = change_row(c, job, m, arena_copy(&job->arena, buf_slice(&change)), err);
    buf_free(&change);
    return status;
}

/* What the credential says in the row of its member; JSON_ABSENT: nothing. */
static struct json credential_row(struct arena *a, struct json row, const struct hub_credential *credential)
{
    json_each (v, json_get(row, SLICE("credentials")))
        if (slice_eq(hub_text_of(a, v, "check"), credential->check))
            return v;
    return (struct json){NULL, 0};
}

int hub_certify_put(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    struct arena *a = &job->arena;
    const struct hub_directory *d = hub_commit_directory_now(c);
    const struct hub_member *m = hub_directory_member(d, hub_text_of(a, detail, "member"));
    struct slice check = hub_text_of(a, detail, "check");
    struct json row, none = {NULL, 0};
    int64_t credential_id = 0, until_us = 0;

    if (m == NULL || json_parse(a, m->row, &hub_act_limits, &row, err) != 0)
        return err_set(err, ERR_UNAUTHENTICATED, NULL, "this code is not good any more");
    if (m->n_credentials >= HUB_CREDENTIALS_MAX)
        return err_set(err, ERR_FORBIDDEN, NULL, "a member has no more than %d credentials", HUB_CREDENTIALS_MAX);
    if (check.len != 0) {
        struct json invitation = json_get(row, SLICE("invitation"));
        if (!slice_eq(hub_text_of(a, invitation, "check"), check) ||
            !json_int(json_get(invitation, SLICE("until_us")), &until_us) || until_us < time_now_us())
            return err_set(err, ERR_UNAUTHENTICATED, NULL, "this code is not good any more");
        return add_certificate(c, job, m, row, detail, none, true, err);
    }
    json_int(json_get(detail, SLICE("credential")), &credential_id);
    const struct hub_credential *used = hub_credential_of(d, m->viewer, (uint64_t)credential_id);
    if (used == NULL || used->kind != HUB_CERTIFICATE || !hub_credential_is_on(used, time_now_us()))
        return err_set(err, ERR_FORBIDDEN, NULL, "a certificate is renewed by one that is still good");
    return add_certificate(c, job, m, row, detail, credential_row(a, row, used), false, err);
}

/* ---- the door ---- */

struct asking {
    struct hub *hub;
    struct taxii_reply *reply;
    const struct hub_party *party; /* NULL: by a code */
    struct arena arena;
    struct slice member, check, cert, fingerprint, ca, collection;
    int64_t until_us;
};

static void asking_end(struct asking *k, const struct err *err)
{
    if (err != NULL)
        taxii_reply_error(k->reply, err);
    arena_free(&k->arena);
    free(k);
}

static void on_put(void *arg, const struct hub_outcome *o)
{
    struct asking *k = arg;
    struct buf out = BUF_INIT;
    char until[TIME_TEXT];

    if (o->err != NULL) {
        asking_end(k, o->err);
        return;
    }
    log_event("certificate_issued", TEXT("member", k->member), TEXT("fingerprint", k->fingerprint),
              TEXT("by", k->party != NULL ? SLICE("renewal") : SLICE("code")));
    time_put(until, k->until_us);
    json_put_open(&out, '{');
    json_put_text(&out, "member", k->member);
    json_put_text(&out, "certificate", k->cert);
    json_put_text(&out, "until", slice_n(until, sizeof until));
    if (k->party == NULL) {
        json_put_text(&out, "url", k->hub->settings.url);
        json_put_text(&out, "ca", k->ca);
        json_put_text(&out, "collection", k->collection);
    }
    json_put_close(&out, '}');
    taxii_reply_json(k->reply, 201, buf_ref_take(&out));
    asking_end(k, NULL);
}

static int find_invitation(struct asking *k, struct slice code, struct err *err)
{
    struct hub *h = k->hub;
    struct slice peer = taxii_reply_head(k->reply)->peer, plain = plain_code(&k->arena, code);
    uint32_t wait = hub_failures_wait(h->doors->failures, peer, SLICE(""), h->doors->clock());
    int64_t until_us;

    if (wait != 0) {
        err_set(err, ERR_TOO_MANY, NULL, "too many wrong codes: try again in %u s", wait);
        err->retry_s = wait;
        return -1;
    }
    k->check = code_check(h, &k->arena, plain);
    struct hub_directory *d = hub_directory_hold(h);
    for (size_t i = 0; i < d->n_members && k->member.len == 0; i++) {
        struct json row, invitation;
        if (json_parse(&k->arena, d->members[i].row, &hub_act_limits, &row, NULL) != 0)
            continue;
        invitation = json_get(row, SLICE("invitation"));
        struct slice known = hub_text_of(&k->arena, invitation, "check");
        if (plain.len != 0 && known.len == k->check.len && crypto_equal(known.ptr, k->check.ptr, known.len) &&
            json_int(json_get(invitation, SLICE("until_us")), &until_us) && until_us >= time_now_us()) {
            k->member = arena_copy(&k->arena, d->members[i].name);
            k->ca = arena_copy(&k->arena, hub_text_of(&k->arena, invitation, "ca"));
            k->collection = arena_copy(&k->arena, hub_text_of(&k->arena, invitation, "collection"));
        }
    }
    hub_directory_drop(&d);
    if (k->member.len != 0)
        return 0;
    hub_failures_add(h->doors->failures, peer, SLICE(""), h->doors->clock());
    log_event("enrolment_refused", TEXT("peer", peer));
    return err_set(err, ERR_UNAUTHENTICATED, NULL, "this code is not known here, was used, or has ended");
}

static int sign(struct hub_worker *w, struct asking *k, struct slice csr, struct err *err)
{
    struct buf cert = BUF_INIT, hex = BUF_INIT;
    struct crypto_cert told;
    struct err why = ERR_INIT;
    int status = keys_certify(w->keys, k->member, CERTIFICATE_DAYS, csr, &cert, &why);

    if (status != 0) {
        buf_free(&cert);
        return why.code == ERR_KEYS ? err_copy(err, &why)
                                    : err_set(err, ERR_FORBIDDEN, "/csr",
                                              "this hub issues no certificates, or this is no request (PKCS #10, PEM) "
                                              "of a P-256 key");
    }
    k->cert = arena_copy(&k->arena, buf_slice(&cert));
    buf_free(&cert);
    if (crypto_cert_read(&k->arena, k->cert, &told, err) != 0)
        return -1;
    k->until_us = told.until_us;
    crypto_put_hex(&hex, told.fingerprint, sizeof told.fingerprint);
    k->fingerprint = arena_copy(&k->arena, buf_slice(&hex));
    buf_free(&hex);
    return 0;
}

static int put(struct asking *k, struct err *err)
{
    struct buf detail = BUF_INIT;

    json_put_open(&detail, '{');
    json_put_text(&detail, "member", k->member);
    json_put_text(&detail, "fingerprint", k->fingerprint);
    json_put_number(&detail, "until_us", k->until_us);
    if (k->party == NULL)
        json_put_text(&detail, "check", k->check);
    else
        json_put_number(&detail, "credential", (int64_t)k->party->credential);
    json_put_close(&detail, '}');
    struct act act = {.kind = HUB_CERTIFY, .detail = buf_slice(&detail), .done = on_put, .arg = k};
    int status = hub_act(k->hub, &act, err);
    buf_free(&detail);
    return status;
}

static void run_asking(struct hub_worker *w, void *arg)
{
    struct asking *k = arg;
    struct json body;
    struct err err = ERR_INIT;
    int status = json_parse(&k->arena, taxii_reply_body(k->reply), &body_limits, &body, &err);

    if (status == 0 && k->party == NULL)
        status = find_invitation(k, hub_text_of(&k->arena, body, "code"), &err);
    else if (status == 0)
        k->member = slice_of(k->party->name);
    if (status == 0 && k->party != NULL && k->party->kind != HUB_PARTY_MEMBER)
        status = err_set(&err, ERR_FORBIDDEN, NULL, "certificates are for members");
    if (status == 0)
        status = sign(w, k, hub_text_of(&k->arena, body, "csr"), &err);
    if (status != 0 || put(k, &err) != 0)
        asking_end(k, &err);
}

void hub_certify(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    struct hub *h = hub;
    struct asking *k = mem_zero(1, sizeof *k);
    struct err err = ERR_INIT;

    k->hub = h;
    k->reply = reply;
    k->party = (struct hub_party *)who; /* the reply holds it */
    if (!atomic_load(&h->stopping) && hub_work(h, 0, false, run_asking, k))
        return;
    err_set(&err, ERR_BUSY, NULL, "");
    asking_end(k, &err);
}
