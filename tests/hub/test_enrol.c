#include "door_test.h"

#include "base/crypto_cert.h"
#include "hub/doors.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define PATH   "/tocsin/certificate/"

/* The keys process of the door's hub issues certificates. Before anybody asks it. */
static void give_issuer(struct door *d)
{
    struct buf cert = BUF_INIT, key = BUF_INIT;
    int64_t now = time_now_us();
    struct crypto_cert_ask ask = {SLICE("issuer"), NULL, 0, now - DAY_US, now + 1000 * DAY_US, CRYPTO_CERT_AUTHORITY};
    struct keys_secrets *s = &d->t.secrets;

    assert_int_equal(crypto_cert_make(&ask, SLICE(""), SLICE(""), &cert, &key, NULL), 0);
    memcpy(s->issuer, cert.ptr, cert.len);
    memcpy(s->issuer_key, key.ptr, key.len);
    s->issuer_key_len = key.len;
    s->issuer_len = cert.len;
    buf_free(&cert);
    buf_free(&key);
}

static struct slice invite(struct door *d, const char *name, int64_t valid_us)
{
    struct hub_answer answer;
    struct json detail;

    hub_answer_init(&answer);
    hub_test_act_into(&d->t, HUB_INVITE, NULL,
                      arena_printf(&d->arena, "{\"name\":\"%s\",\"valid_us\":%lld,\"ca\":\"CA\",\"collection\":\"%s\"}",
                                   name, (long long)valid_us, d->id),
                      &answer);
    hub_answer_wait(&answer);
    if (answer.err.code != ERR_NONE)
        fail_msg("%s", answer.err.text);
    assert_int_equal(json_parse(&d->arena, arena_copy(&d->arena, buf_slice(&answer.detail)), NULL, &detail, NULL), 0);
    struct slice code = arena_copy(&d->arena, json_string(&d->arena, json_get(detail, SLICE("code"))));
    hub_answer_free(&answer);
    assert_int_equal(code.len, 19); /* XXXX-XXXX-XXXX-XXXX */
    return code;
}

static struct slice request(struct door *d)
{
    struct buf csr = BUF_INIT, key = BUF_INIT, text = BUF_INIT;

    assert_int_equal(crypto_csr_make(SLICE("somebody"), &csr, &key, NULL), 0);
    json_put_string(&text, buf_slice(&csr));
    struct slice copy = arena_copy(&d->arena, buf_slice(&text));
    buf_free(&csr);
    buf_free(&key);
    buf_free(&text);
    return copy;
}

static int enrol(struct door *d, struct slice code, struct slice csr, struct door_answer *out)
{
    struct slice body =
        arena_printf(&d->arena, "{\"code\":\"" SLICE_FMT "\",\"csr\":" SLICE_FMT "}", SLICE_ARG(code), SLICE_ARG(csr));

    door_call(d, NULL, "POST", PATH, "Content-Type: application/json", body.ptr, out);
    return out->status;
}

static size_t credentials_of(struct door *d, const char *member, const struct hub_credential **last_out)
{
    struct hub_directory *now = hub_directory_hold(d->t.hub);
    const struct hub_member *m = hub_directory_member(now, slice_of(member));
    size_t n = m->n_credentials;

    if (last_out != NULL && n != 0)
        *last_out = &m->credentials[n - 1]; /* the directory lives as long as nothing changes */
    hub_directory_drop(&now);
    return n;
}

static void test_hub_enrol__a_code_is_good_once(void **state)
{
    struct door d;
    struct door_answer answer;
    struct crypto_cert told;
    const struct hub_credential *credential;

    door_open(&d);
    give_issuer(&d);
    size_t before = credentials_of(&d, "bank", NULL);
    struct slice code = invite(&d, "bank", DAY_US);
    assert_int_equal(enrol(&d, code, request(&d), &answer), 201);
    assert_slice(door_text(&d, answer.json, "member"), "bank");
    assert_slice(door_text(&d, answer.json, "url"), "https://192.0.2.1:6443");
    assert_slice(door_text(&d, answer.json, "ca"), "CA");
    assert_slice(door_text(&d, answer.json, "collection"), d.id);
    assert_int_equal(crypto_cert_read(&d.arena, door_text(&d, answer.json, "certificate"), &told, NULL), 0);
    assert_slice(told.subject, "CN=bank"); /* not what the request says */
    assert_true(told.client && !told.server && !told.authority);
    assert_int_equal(credentials_of(&d, "bank", &credential), before + 1);
    assert_int_equal(credential->kind, HUB_CERTIFICATE);
    assert_memory_equal(credential->key, told.fingerprint, CRYPTO_HASH);
    assert_int_equal(credential->until_us, told.until_us);
    assert_int_equal(enrol(&d, code, request(&d), &answer), 401);
    assert_int_equal(credentials_of(&d, "bank", NULL), before + 1);
    assert_int_equal(credentials_of(&d, "clinic", NULL), before);
    door_close(&d);
}

static void test_hub_enrol__how_a_code_is_typed(void **state)
{
    struct door d;
    struct door_answer answer;
    char text[64];

    door_open(&d);
    give_issuer(&d);
    for (int way = 0; way < 3; way++) {
        struct slice code = invite(&d, "bank", DAY_US);
        size_t n = 0;
        for (size_t i = 0; i < code.len; i++) {
            char c = code.ptr[i];
            if (way == 0 && c == '-')
                continue; /* without dashes */
            if (way == 1 && c >= 'A' && c <= 'Z')
                c = (char)(c - 'A' + 'a');
            if (way == 2 && (c == '0' || c == '1'))
                c = c == '0' ? 'o' : 'L'; /* as they look */
            text[n++] = c;
        }
        if (enrol(&d, slice_n(text, n), request(&d), &answer) != 201)
            fail_row((size_t)way, "%.*s", (int)n, text);
    }
    door_close(&d);
}

static void test_hub_enrol__what_is_refused(void **state)
{
    struct door d;
    struct door_answer answer;

    door_open(&d);
    give_issuer(&d);
    struct slice old = invite(&d, "bank", DAY_US), code = invite(&d, "bank", DAY_US), csr = request(&d);
    const struct {
        struct slice code, csr;
        int status;
    } rows[] = {
        {old, csr, 401}, /* a newer one took its place */
        {SLICE(""), csr, 401},
        {SLICE("0000-0000-0000-0000"), csr, 401},
        {SLICE("0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000-0000"), csr, 401},
        {SLICE("\xc3\xa4"), csr, 401},
        {code, SLICE("\"no request\""), 403},
        {code, SLICE("{}"), 403},
        {code, SLICE("\"\",\"csr\":\"\""), 400}, /* a key twice */
        {code, csr, 201},                        /* what was refused has not used it up */
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        if (enrol(&d, rows[i].code, rows[i].csr, &answer) != rows[i].status)
            fail_row(i, "%d: " SLICE_FMT, answer.status, SLICE_ARG(answer.body));
    door_call(&d, NULL, "GET", PATH, DOOR_ACCEPT, NULL, &answer);
    assert_int_equal(answer.status, 405);
    door_call(&d, NULL, "POST", PATH, "Content-Type: application/json", "[", &answer);
    assert_int_equal(answer.status, 400);
    assert_int_equal(hub_test_act_fails(&d.t, HUB_INVITE, NULL, "{\"name\":\"nobody\",\"valid_us\":1}"), ERR_NOT_FOUND);
    assert_int_equal(hub_test_act_fails(&d.t, HUB_INVITE, NULL, "{\"name\":\"bank\",\"valid_us\":0}"), ERR_CONF_VALUE);
    assert_int_equal(
        hub_test_act_fails(&d.t, HUB_INVITE, NULL, "{\"name\":\"bank\",\"valid_us\":%lld}", (long long)(31 * DAY_US)),
        ERR_CONF_VALUE);
    /* a password is no certificate: what is renewed is what is signed in with */
    struct slice body = arena_printf(&d.arena, "{\"csr\":" SLICE_FMT "}", SLICE_ARG(csr));
    door_call(&d, "bank", "POST", PATH, "Content-Type: application/json", body.ptr, &answer);
    assert_int_equal(answer.status, 403);
    door_close(&d);
}

static void test_hub_enrol__a_code_ends(void **state)
{
    struct door d;
    struct door_answer answer;

    door_open(&d);
    give_issuer(&d);
    struct slice code = invite(&d, "bank", 1);
    assert_int_equal(enrol(&d, code, request(&d), &answer), 401);
    door_close(&d);
}

/* HUB_FAILURES_FREE wrong codes from one source, then it waits, with a good one too. */
static void test_hub_enrol__guessing_is_slowed_down(void **state)
{
    struct door d;
    struct door_answer answer;
    int refused = 0;

    answer.status = 0;

    door_open(&d);
    give_issuer(&d);
    struct slice code = invite(&d, "bank", DAY_US), csr = request(&d);
    for (int i = 0; i < HUB_FAILURES_FREE + 3 && answer.status != 429; i++) {
        refused += enrol(&d, SLICE("0000-0000-0000-0000"), csr, &answer) == 401;
        assert_true(answer.status == 401 || answer.status == 429);
    }
    assert_true(refused >= HUB_FAILURES_FREE && refused <= HUB_FAILURES_FREE + 1);
    assert_int_equal(enrol(&d, code, csr, &answer), 429);
    door_close(&d);
}

static void certify(struct door *d, const char *fingerprint_byte, uint64_t credential, enum err_code code)
{
    char hex[65] = "";

    for (int i = 0; i < 32; i++)
        memcpy(hex + 2 * i, fingerprint_byte, 3);
    struct slice detail = arena_printf(&d->arena,
                                       "{\"member\":\"bank\",\"fingerprint\":\"%s\",\"until_us\":%lld,"
                                       "\"credential\":%lld}",
                                       hex, (long long)(time_now_us() + DAY_US), (long long)credential);
    if (code == ERR_NONE)
        hub_test_act(&d->t, HUB_CERTIFY, NULL, "%s", detail.ptr);
    else
        assert_int_equal(hub_test_act_fails(&d->t, HUB_CERTIFY, NULL, "%s", detail.ptr), code);
}

/* A renewed certificate may what the one before may, and no more; a few earlier ones stay, in case an answer was lost.
 */
static void test_hub_enrol__renewal(void **state)
{
    struct door d;
    const struct hub_credential *c;

    door_open(&d);
    size_t before = credentials_of(&d, "bank", &c);
    certify(&d, "01", c->id, ERR_FORBIDDEN); /* a password renews nothing */
    certify(&d, "01", 12345, ERR_FORBIDDEN);
    hub_test_act(&d.t, HUB_CREDENTIAL_PUT, NULL,
                 "{\"member\":\"bank\",\"name\":\"sensor\",\"kind\":\"certificate\",\"rights\":\"read\",\"requests\":7,"
                 "\"networks\":[\"192.0.2.0/24\"],"
                 "\"fingerprint\":\"00000000000000000000000000000000000000000000000000000000000000aa\"}");
    credentials_of(&d, "bank", &c);
    for (int i = 1; i < 9; i++) {
        char byte[3];
        snprintf(byte, sizeof byte, "%02x", i);
        certify(&d, byte, c->id, ERR_NONE);
        size_t n = credentials_of(&d, "bank", &c);
        assert_int_equal(n, before + 1 + (size_t)(i < 4 ? i : 4));
        assert_int_equal(c->rights, HUB_RIGHTS_READ);
        assert_int_equal(c->requests, 7);
        assert_int_equal(c->n_networks, 1);
        assert_int_equal(c->key[0], i);
    }
    door_close(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_enrol__a_code_is_good_once),
        cmocka_unit_test(test_hub_enrol__how_a_code_is_typed),
        cmocka_unit_test(test_hub_enrol__what_is_refused),
        cmocka_unit_test(test_hub_enrol__a_code_ends),
        cmocka_unit_test(test_hub_enrol__guessing_is_slowed_down),
        cmocka_unit_test(test_hub_enrol__renewal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
