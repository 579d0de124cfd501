/* hub/receipt.c: recipients confirm recalls (DESIGN.md invariant 10). A receipt names the event up to which whatever
   was recalled is done; the event id is sealed by this hub and bound to viewer and collection, so it says what was
   given and cannot say more. It is signed: by a member's sensor with the key of its client file, whose public half
   stands in the member's row; by a partner hub with its hub key. No key is ever learned from a receipt.

   STORE_RECEIPT   "viewer/collection/follower/c/seq" -> sent_us, at_us, counted_us, done, of: u64 each, little endian.
                   Every recall up to seq that no earlier one covers was confirmed at at_us. A hub tells more than once
   how many of its own recipients have: then done, of, sent_us and counted_us are the newest. */
#include <stdlib.h>

#include "hub/internal.h"

#include "base/log.h"

enum { RECEIPT_AHEAD_US = 600 * 1000000 /* a clock that is wrong by so much is told so */ };

uint64_t hub_event_place(struct slice collection, uint32_t viewer)
{
    struct buf text = BUF_INIT;

    buf_printf(&text, SLICE_FMT "|%u", SLICE_ARG(collection), viewer);
    uint64_t hash = hub_id_hash(buf_slice(&text));
    buf_free(&text);
    return hash;
}

/* ---- the door ---- */

struct confirming {
    struct hub_party *party;
    struct taxii_reply *reply;
};

static const uint8_t *key_of(const struct hub_directory *d, uint32_t viewer)
{
    const struct hub_member *m = hub_directory_member_of(d, viewer);
    const struct hub_partner *p = hub_directory_partner_of(d, viewer);

    return m != NULL && m->has_receipt_key ? m->receipt_key : p != NULL ? p->key : NULL;
}

static int check_event(struct hub *h, const struct taxii_receipt *r, const struct hub_collection *c, uint32_t viewer,
                       uint64_t *upto_out, struct err *err)
{
    uint64_t n[HUB_EVENT_NUMBERS];

    if (!hub_token_get(h, "event", r->event, n, HUB_EVENT_NUMBERS) || n[6] != hub_event_place(c->id, viewer))
        return err_set(err, ERR_BAD_REQUEST, "/event", "this hub gave no such event id to you for this collection");
    *upto_out = n[0];
    if (n[0] > atomic_load(&h->head))
        return err_set(err, ERR_BAD_REQUEST, "/event", "this lies ahead of what this hub has published");
    return 0;
}

static int check_signature(const struct hub_directory *d, const struct taxii_receipt *r, uint32_t viewer,
                           struct err *err)
{
    const uint8_t *key = key_of(d, viewer);
    struct buf message = BUF_INIT;

    if (key == NULL)
        return err_set(err, ERR_FORBIDDEN, "/signature",
                       "this hub knows no receipt key of yours: its operator writes you a new client file");
    taxii_receipt_message(r, &message);
    bool good = keys_check(key, KEYS_SIGN_RECEIPT, buf_slice(&message), r->signature);
    buf_free(&message);
    return good ? 0 : err_set(err, ERR_FORBIDDEN, "/signature", "the signature is not by your receipt key");
}

static void put_detail(const struct taxii_receipt *r, const struct hub_collection *c, uint64_t upto, struct buf *out)
{
    json_put_open(out, '{');
    json_put_text(out, "collection", c->id);
    json_put_number(out, "upto", (int64_t)upto);
    json_put_number(out, "sent_us", r->sent_us);
    json_put_key(out, SLICE("receipt"));
    taxii_receipt_put(r, out);
    json_put_close(out, '}');
}

static void answer(void *arg, const struct hub_outcome *o)
{
    struct taxii_reply *reply = arg;

    if (o->err != NULL)
        taxii_reply_error(reply, o->err);
    else
        taxii_reply_json(reply, 200, buf_ref_copy(o->detail));
}

static int take(struct hub_worker *w, const struct hub_directory *d, const struct act *template, struct slice at,
                struct slice body, struct err *err)
{
    const struct hub_collection *c = hub_directory_collection(d, at);
    uint32_t viewer = template->by->viewer;
    struct act act = *template;
    struct taxii_receipt r;
    struct buf detail = BUF_INIT;
    uint64_t upto = 0;

    if (c == NULL)
        return err_set(err, ERR_NOT_FOUND, NULL, "no such collection");
    if (taxii_receipt_read(&w->arena, body, &r, err) != 0 || check_event(w->hub, &r, c, viewer, &upto, err) != 0 ||
        check_signature(d, &r, viewer, err) != 0)
        return -1;
    if (r.sent_us > time_now_us() + RECEIPT_AHEAD_US)
        return err_set(err, ERR_BAD_REQUEST, "/sent", "this lies in the future: is your clock right?");
    if (!hub_recipient_confirms(w->hub, viewer, c->id, r.follower, upto, r.lease_us))
        return err_set(err, ERR_TOO_MANY, "/follower", "one receipt a second, of at most %d followers",
                       HUB_RECIPIENTS_MAX);
    put_detail(&r, c, upto, &detail);
    act.detail = buf_slice(&detail);
    int result = hub_act(w->hub, &act, err);
    buf_free(&detail);
    return result;
}

int hub_receipt_take(struct hub_worker *w, struct hub_party *by, struct slice collection, struct slice body,
                     hub_done_fn *done, void *arg, struct err *err)
{
    struct act act = {.kind = HUB_RECEIPT, .by = by, .done = done, .arg = arg};
    struct hub_directory *d = hub_directory_hold(w->hub);
    int result = take(w, d, &act, collection, body, err);

    hub_directory_drop(&d);
    if (result != 0)
        log_event("receipt_refused", NUM("viewer", by->viewer), ERROR_FIELD(err));
    return result;
}

static void run_confirm(struct hub_worker *w, void *arg)
{
    struct confirming *c = arg;
    struct err err = ERR_INIT;

    if (hub_receipt_take(w, c->party, taxii_reply_want(c->reply)->collection, taxii_reply_body(c->reply), answer,
                         c->reply, &err) != 0)
        taxii_reply_error(c->reply, &err);
    hub_party_drop(&c->party);
    free(c);
}

void hub_confirm(void *hub, struct taxii_who *who, struct taxii_reply *reply)
{
    struct hub *h = hub;
    struct confirming *c = mem_alloc(sizeof *c);
    struct err err;

    *c = (struct confirming){hub_party_hold((struct hub_party *)who), reply};
    if (hub_work(h, c->party->owner + c->party->viewer, true, run_confirm, c))
        return;
    hub_party_drop(&c->party);
    free(c);
    err_set(&err, ERR_BUSY, NULL, "");
    taxii_reply_error(reply, &err);
}

/* ---- the act: in the committer's transaction ---- */

struct known { /* the first receipt of the recipient that covers a position */
    struct slice prefix;
    bool found;
    uint64_t upto;
    struct hub_receipt receipt;
};

bool hub_receipt_read(struct slice value, struct hub_receipt *out)
{
    uint64_t n[HUB_RECEIPT_NUMBERS];

    if (value.len != sizeof n)
        return false;
    memcpy(n, value.ptr, sizeof n);
    *out = (struct hub_receipt){(int64_t)n[0], (int64_t)n[1], (int64_t)n[2], n[3], n[4]};
    return true;
}

static bool read_place(struct slice hex, uint64_t *out)
{
    uint8_t bytes[8];

    *out = 0;
    if (hex.len != 16 || !crypto_hex(hex, bytes, sizeof bytes))
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        *out = *out << 8 | bytes[i];
    return true;
}

static int take_known(void *arg, struct slice key, struct slice value)
{
    struct known *k = arg;

    k->found = slice_starts(key, k->prefix) && read_place(slice_from(key, k->prefix.len), &k->upto) &&
               hub_receipt_read(value, &k->receipt);
    return 1; /* the first is the one */
}

int hub_receipt_find(struct store_reader *r, struct arena *a, struct slice recipient, uint64_t seq,
                     struct hub_receipt *out, uint64_t *upto_out, struct err *err)
{
    struct slice from = hub_receipt_key(a, recipient, 'c', seq);
    struct known k = {.prefix = slice_to(from, from.len - 16)};

    if (hub_receipts_scan(r, from, take_known, &k, err) != 0)
        return -1;
    *out = k.receipt;
    *upto_out = k.upto;
    return k.found;
}

static int receipt_leaf(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    struct buf record = BUF_INIT;

    json_put_open(&record, '{');
    json_put_text(&record, "act", SLICE("receipt"));
    json_put_number(&record, "at_us", time_now_us());
    json_put_number(&record, "viewer", job->act.by->viewer);
    json_put_key(&record, SLICE("detail"));
    json_put_raw(&record, json_raw(detail));
    json_put_close(&record, '}');
    int result = hub_commit_leaf(c, hub_commit_hub(c)->record_key, buf_slice(&record), &job->outcome.leaf, err);
    buf_free(&record);
    return result;
}

static uint64_t number_of(struct json object, const char *name)
{
    int64_t value;

    return json_int(json_get(object, slice_of(name)), &value) && value > 0 ? (uint64_t)value : 0;
}

/* What is known already changes nothing, whoever says it again; but a hub's newer count does. */
int hub_receipt_act(struct hub_commit *c, struct hub_job *job, struct json detail, struct err *err)
{
    struct json receipt = json_get(detail, SLICE("receipt"));
    uint64_t upto = number_of(detail, "upto"), sent = number_of(detail, "sent_us"), now = (uint64_t)time_now_us();
    uint64_t n[HUB_RECEIPT_NUMBERS] = {sent, now, now, number_of(receipt, "done"), number_of(receipt, "of")};
    struct slice recipient =
        hub_recipient_key(hub_commit_arena(c), job->act.by->viewer, hub_text_of(&job->arena, detail, "collection"),
                          hub_text_of(&job->arena, receipt, "follower"));
    struct hub_receipt known;
    uint64_t at;

    job->outcome.detail = SLICE("{\"confirmed\":true}");
    int found = hub_receipt_find(hub_commit_reader(c), hub_commit_arena(c), recipient, upto, &known, &at, err);
    if (found < 0)
        return -1;
    bool counts =
        found && at == upto && n[4] != 0 && (int64_t)sent > known.sent_us && (n[3] != known.done || n[4] != known.of);
    if (found && !counts)
        return 0;
    if (found)
        n[1] = (uint64_t)known.at_us;
    struct slice key = hub_receipt_key(hub_commit_arena(c), recipient, 'c', upto);
    log_event("recalls_confirmed", NUM("viewer", job->act.by->viewer), NUM("upto", upto), NUM("done", n[3]),
              NUM("of", n[4]));
    return hub_commit_state(c, STORE_RECEIPT, key, slice_n((const char *)n, sizeof n), err) == 0 &&
                   receipt_leaf(c, job, detail, err) == 0
               ? 0
               : -1;
}
