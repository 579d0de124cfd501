#include "hub_test.h"

#include "hub/doors.h"

/* ---- asking, and waiting for what a password check says ---- */

struct asked {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool over;
    struct hub_party *party;
    struct err err;
};

static void on_done(struct hub *h, void *arg, struct hub_party *party, const struct err *err)
{
    struct asked *a = arg;

    (void)h;
    pthread_mutex_lock(&a->lock);
    a->party = party;
    a->err = *err;
    a->over = true;
    pthread_cond_signal(&a->came);
    pthread_mutex_unlock(&a->lock);
}

static struct err last; /* of the last ask */

/* The party that it signs in, held; NULL: `last` says why. */
static struct hub_party *ask_claim(struct hub_test *t, struct hub_claim claim, const char *peer)
{
    struct asked asked = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, NULL, ERR_INIT};
    struct hub_ask ask = {.claim = claim, .peer = slice_of(peer), .done = on_done, .arg = &asked};
    struct hub_party *party = NULL;

    last = (struct err)ERR_INIT;
    if (hub_ask(t->hub, &ask, &party, &last) != HTTP_LATER)
        return party;
    pthread_mutex_lock(&asked.lock);
    while (!asked.over)
        pthread_cond_wait(&asked.came, &asked.lock);
    pthread_mutex_unlock(&asked.lock);
    last = asked.err;
    return asked.party;
}

static struct hub_party *ask_as(struct hub_test *t, enum hub_claim_kind kind, const char *user, struct slice secret,
                                const char *peer)
{
    return ask_claim(t, (struct hub_claim){kind, slice_of(user), secret, NULL}, peer);
}

static enum err_code tries_claim(struct hub_test *t, struct hub_claim claim, const char *peer)
{
    struct hub_party *party = ask_claim(t, claim, peer);

    assert_true((party != NULL) == (last.code == ERR_NONE));
    hub_party_drop(&party);
    return last.code;
}

static enum err_code tries(struct hub_test *t, enum hub_claim_kind kind, const char *user, struct slice secret,
                           const char *peer)
{
    return tries_claim(t, (struct hub_claim){kind, slice_of(user), secret, NULL}, peer);
}

/* A new token in `out`, which holds 64 bytes. */
static struct slice add_token(struct hub_test *t, const char *member, const char *name, const char *more, char *out)
{
    struct arena a = ARENA_INIT;
    struct hub_answer answer;
    struct json detail;
    struct slice act = arena_printf(&a, "{\"member\":\"%s\",\"name\":\"%s\",\"kind\":\"token\"%s}", member, name, more);

    hub_answer_init(&answer);
    hub_test_act_into(t, HUB_CREDENTIAL_PUT, NULL, act, &answer);
    hub_answer_wait(&answer);
    if (answer.err.code != ERR_NONE)
        fail_msg("%s", answer.err.text);
    assert_int_equal(json_parse(&a, buf_slice(&answer.detail), NULL, &detail, NULL), 0);
    struct slice secret = json_string(&a, json_get(detail, SLICE("secret")));
    assert_int_equal(secret.len, strlen(HUB_TOKEN_PREFIX) + 43); /* 256 bits */
    memcpy(out, secret.ptr, secret.len);
    hub_answer_free(&answer);
    arena_free(&a);
    return slice_n(out, strlen(HUB_TOKEN_PREFIX) + 43);
}

static struct hub_party *member_with_password(struct hub_test *t, const char *name, const char *password)
{
    struct buf hash = BUF_INIT, more = BUF_INIT;

    crypto_password_hash(slice_of(password), &hash);
    buf_printf(&more, ",\"password_hash\":\"" SLICE_FMT "\"", (int)hash.len, hash.ptr);
    buf_put_byte(&more, '\0');
    struct hub_party *party = hub_test_member(t, name, more.ptr);
    buf_free(&hash);
    buf_free(&more);
    return party;
}

/* ---- a clock that stands, until it is moved ---- */

static _Atomic int64_t now_us;

static int64_t clock_us(void)
{
    return now_us;
}

static void set_up(struct hub_test *t)
{
    now_us = INT64_C(1000000000);
    hub_test_open(t);
    t->hub->doors->clock = clock_us;
}

#define HOME "192.0.2.7"
#define AWAY "203.0.113.9"

static void test_hub_doors__tokens(void **state)
{
    struct hub_test t;
    char at[64];

    set_up(&t);
    struct hub_party *bank = member_with_password(&t, "bank", "a word"), *clinic = hub_test_member(&t, "clinic", "");
    struct slice token = add_token(&t, "bank", "siem", "", at);
    struct {
        enum hub_claim_kind kind;
        const char *user;
        struct slice secret;
        enum err_code code;
    } rows[] = {
        {HUB_CLAIM_NOTHING, "", SLICE(""), ERR_UNAUTHENTICATED},
        {HUB_CLAIM_BEARER, "", token, ERR_NONE},
        {HUB_CLAIM_BEARER, "", slice_to(token, token.len - 1), ERR_UNAUTHENTICATED},
        {HUB_CLAIM_BEARER, "", SLICE("a word"), ERR_UNAUTHENTICATED}, /* a password is no token */
        {HUB_CLAIM_BASIC, "", token, ERR_NONE},
        {HUB_CLAIM_BASIC, "bank", token, ERR_NONE},
        {HUB_CLAIM_BASIC, at, SLICE(""), ERR_NONE}, /* the key as the user */
        {HUB_CLAIM_BASIC, "clinic", token, ERR_UNAUTHENTICATED},
        {HUB_CLAIM_BASIC, "bank", SLICE("a word"), ERR_NONE},
        {HUB_CLAIM_BASIC, "", SLICE("a word"), ERR_UNAUTHENTICATED},
        {HUB_CLAIM_BASIC, "", SLICE(""), ERR_UNAUTHENTICATED},
        {HUB_CLAIM_BASIC, "nobody", SLICE("a word"), ERR_UNAUTHENTICATED},
    };

    at[token.len] = '\0';
    for (size_t i = 0; i < ROWS(rows); i++)
        if (tries(&t, rows[i].kind, rows[i].user, rows[i].secret, HOME) != rows[i].code)
            fail_row(i, "%s %s", err_name(last.code), last.text);
    struct hub_party *in = ask_as(&t, HUB_CLAIM_BEARER, "", token, HOME);
    assert_int_equal(in->viewer, bank->viewer);
    assert_true(in->owner == bank->owner && in->credential != 0);
    hub_party_drop(&in);
    hub_party_drop(&bank);
    hub_party_drop(&clinic);
    hub_test_close(&t);
}

static void test_hub_doors__survive_a_restart(void **state)
{
    struct hub_test t;
    char at[64];

    set_up(&t);
    struct hub_party *bank = member_with_password(&t, "bank", "a word");
    struct slice token = add_token(&t, "bank", "siem", "", at);
    hub_test_stop(&t);
    hub_test_start(&t);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", token, HOME), ERR_NONE);
    assert_int_equal(tries(&t, HUB_CLAIM_BASIC, "bank", SLICE("a word"), HOME), ERR_NONE);
    hub_party_drop(&bank);
    hub_test_close(&t);
}

/* Removed, changed or expired: at once, for what is cached too, and for whoever is inside. */
static void test_hub_doors__revocation(void **state)
{
    struct hub_test t;
    char one_at[64], two_at[64], id[37];

    set_up(&t);
    hub_test_collection(&t, "alerts", ",\"open\":true", id);
    struct hub_party *bank = member_with_password(&t, "bank", "a word");
    struct slice one = add_token(&t, "bank", "one", "", one_at), two = add_token(&t, "bank", "two", "", two_at);
    struct hub_party *inside = ask_as(&t, HUB_CLAIM_BEARER, "", one, HOME);
    struct hub_party *by_password = ask_as(&t, HUB_CLAIM_BASIC, "bank", SLICE("a word"), HOME);
    assert_true(hub_test_count(&t, inside, id) == 0 && hub_test_count(&t, by_password, id) == 0);

    hub_test_act(&t, HUB_CREDENTIAL_REMOVE, NULL, "{\"member\":\"bank\",\"name\":\"%s\"}", "one");
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", one, HOME), ERR_UNAUTHENTICATED);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", two, HOME), ERR_NONE);
    struct store_at start = {0, 0, 0};
    struct hub_copies none = {.n = 0};
    assert_int_equal(hub_test_read(&t, inside, id, STORE_CONTENT, false, 10, &start, &none), -1);
    struct hub_answer *answer = hub_test_submit(&t, inside, id, "");
    assert_int_equal(answer->err.code, ERR_UNAUTHENTICATED);
    hub_answer_free(answer);
    free(answer);
    assert_int_equal(hub_test_count(&t, by_password, id), 0);

    hub_test_act(&t, HUB_CREDENTIAL_REMOVE, NULL, "{\"member\":\"bank\",\"name\":\"%s\"}", "password");
    assert_int_equal(tries(&t, HUB_CLAIM_BASIC, "bank", SLICE("a word"), HOME), ERR_UNAUTHENTICATED);
    hub_test_act(&t, HUB_CREDENTIAL_PUT, NULL, "{\"member\":\"bank\",\"name\":\"two\",\"until_us\":%lld}",
                 (long long)(time_now_us() - 1));
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", two, HOME), ERR_UNAUTHENTICATED);
    hub_copies_free(&none);
    hub_party_drop(&inside);
    hub_party_drop(&by_password);
    hub_party_drop(&bank);
    hub_test_close(&t);
}

/* A change of the limits too ends what came in before; a change of other credentials does not. */
static void test_hub_doors__changes_end_what_came_in(void **state)
{
    static const char *const changes[] = {"\"rights\":\"retract\"", "\"networks\":[\"198.51.100.0/24\"]",
                                          "\"until_us\":7", "\"requests\":100"};
    struct hub_test t;
    char at[64], other_at[64];

    set_up(&t);
    struct hub_party *bank = member_with_password(&t, "bank", "a word");
    struct hub_party *by_password = ask_as(&t, HUB_CLAIM_BASIC, "bank", SLICE("a word"), HOME);
    for (size_t i = 0; i < ROWS(changes); i++) {
        struct slice token = add_token(&t, "bank", "siem", "", at);
        struct hub_party *in = ask_as(&t, HUB_CLAIM_BEARER, "", token, HOME);
        add_token(&t, "bank", "other", "", other_at);
        struct hub_directory *d = hub_directory_hold(t.hub);
        assert_true(hub_party_is_good(d, in) && hub_party_is_good(d, by_password));
        hub_directory_drop(&d);
        hub_test_act(&t, HUB_CREDENTIAL_PUT, NULL, "{\"member\":\"bank\",\"name\":\"siem\",%s}", changes[i]);
        d = hub_directory_hold(t.hub);
        if (hub_party_is_good(d, in))
            fail_row(i, "%s", changes[i]);
        assert_true(hub_party_is_good(d, by_password));
        hub_directory_drop(&d);
        hub_party_drop(&in);
        hub_test_act(&t, HUB_CREDENTIAL_REMOVE, NULL, "{\"member\":\"bank\",\"name\":\"%s\"}", "siem");
        hub_test_act(&t, HUB_CREDENTIAL_REMOVE, NULL, "{\"member\":\"bank\",\"name\":\"%s\"}", "other");
    }
    hub_party_drop(&by_password);
    hub_party_drop(&bank);
    hub_test_close(&t);
}

static void test_hub_doors__certificates(void **state)
{
    struct hub_test t;
    struct http_certificate shown = {.subject = SLICE("CN=bank,O=Example"), .fingerprint = {1, 2, 3}};
    struct hub_claim claim = {.kind = HUB_CLAIM_CERTIFICATE, .certificate = &shown};
    const char *one = "0102030000000000000000000000000000000000000000000000000000000000";

    set_up(&t);
    struct hub_party *bank = hub_test_member(&t, "bank", ""), *clinic = hub_test_member(&t, "clinic", "");
    assert_int_equal(tries_claim(&t, claim, HOME), ERR_UNAUTHENTICATED);
    hub_test_act(&t, HUB_CREDENTIAL_PUT, NULL,
                 "{\"member\":\"bank\",\"name\":\"one\",\"kind\":\"certificate\",\"fingerprint\":\"%s\"}", one);
    assert_int_equal(tries_claim(&t, claim, HOME), ERR_NONE);
    assert_int_equal(hub_test_act_fails(&t, HUB_CREDENTIAL_PUT, NULL,
                                        "{\"member\":\"clinic\",\"name\":\"one\",\"kind\":\"certificate\","
                                        "\"fingerprint\":\"%s\"}",
                                        one),
                     ERR_CONF_VALUE); /* whose would it be? */
    shown.fingerprint[0] = 9;         /* renewed */
    assert_int_equal(tries_claim(&t, claim, HOME), ERR_UNAUTHENTICATED);
    hub_test_act(&t, HUB_CREDENTIAL_PUT, NULL,
                 "{\"member\":\"bank\",\"name\":\"two\",\"kind\":\"certificate\",\"subject\":\"%s\"}",
                 "CN=bank,O=Example");
    assert_int_equal(tries_claim(&t, claim, HOME), ERR_NONE);
    shown.subject = SLICE("CN=bank,O=Other");
    assert_int_equal(tries_claim(&t, claim, HOME), ERR_UNAUTHENTICATED);
    shown.subject = SLICE("");
    assert_int_equal(tries_claim(&t, claim, HOME), ERR_UNAUTHENTICATED);
    hub_party_drop(&bank);
    hub_party_drop(&clinic);
    hub_test_close(&t);
}

/* What a token opens is no certificate's, and the other way round, though both are found by 32 bytes. */
static void test_hub_doors__kinds_are_kept_apart(void **state)
{
    struct hub_test t;
    char at[64];
    struct http_certificate shown = {.fingerprint = {0}};
    struct hub_claim claim = {.kind = HUB_CLAIM_CERTIFICATE, .certificate = &shown};

    set_up(&t);
    struct hub_party *bank = hub_test_member(&t, "bank", "");
    struct slice token = add_token(&t, "bank", "siem", "", at);
    hub_token_key(t.hub, token, shown.fingerprint);
    assert_int_equal(tries_claim(&t, claim, HOME), ERR_UNAUTHENTICATED);
    hub_party_drop(&bank);
    hub_test_close(&t);
}

static void test_hub_doors__networks(void **state)
{
    static const struct {
        const char *networks, *peer;
        bool in;
    } rows[] = {
        {"", "192.0.2.7", true},
        {"\"192.0.2.0/24\"", "192.0.2.7", true},
        {"\"192.0.2.0/24\"", "192.0.3.7", false},
        {"\"192.0.2.0/24\"", "::ffff:192.0.2.7", true},
        {"\"192.0.2.0/24\"", "2001:db8::1", false},
        {"\"192.0.2.7\"", "192.0.2.7", true},
        {"\"192.0.2.7\"", "192.0.2.8", false},
        {"\"192.0.2.0/25\"", "192.0.2.128", false},
        {"\"192.0.2.128/25\"", "192.0.2.255", true},
        {"\"192.0.2.99/24\"", "192.0.2.7", true}, /* with bits of a host */
        {"\"0.0.0.0/0\"", "203.0.113.1", true},
        {"\"0.0.0.0/0\"", "2001:db8::1", false},
        {"\"::/0\"", "2001:db8::1", true},
        {"\"2001:db8::/32\"", "2001:db8:ffff::1", true},
        {"\"2001:db8::/32\"", "2001:db9::1", false},
        {"\"192.0.2.0/24\",\"198.51.100.0/24\"", "198.51.100.1", true},
        {"\"192.0.2.0/24\"", "", false},
    };
    struct hub_test t;
    char at[64];

    set_up(&t);
    struct hub_party *bank = hub_test_member(&t, "bank", "");
    struct slice token = add_token(&t, "bank", "siem", "", at);
    for (size_t i = 0; i < ROWS(rows); i++) {
        hub_test_act(&t, HUB_CREDENTIAL_PUT, NULL, "{\"member\":\"bank\",\"name\":\"siem\",\"networks\":[%s]}",
                     rows[i].networks);
        enum err_code code = tries(&t, HUB_CLAIM_BEARER, "", token, rows[i].peer);
        if ((code == ERR_NONE) != rows[i].in)
            fail_row(i, "%s from %s: %s", rows[i].networks, rows[i].peer, err_name(code));
    }
    hub_party_drop(&bank);
    hub_test_close(&t);
}

static void test_hub_doors__acts_that_are_refused(void **state)
{
    static const struct {
        enum hub_act_kind kind;
        const char *detail;
        enum err_code code;
    } rows[] = {
        {HUB_CREDENTIAL_PUT, "{\"member\":\"nobody\",\"name\":\"a\",\"kind\":\"token\"}", ERR_NOT_FOUND},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"a b\",\"kind\":\"token\"}", ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"siem\",\"kind\":\"token\"}", ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"a\",\"kind\":\"wish\"}", ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"a\"}", ERR_NOT_FOUND},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"a\",\"kind\":\"password\"}", ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"a\",\"kind\":\"certificate\",\"fingerprint\":\"ab\"}",
         ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"siem\",\"rights\":\"wish\"}", ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"siem\",\"requests\":-1}", ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"siem\",\"networks\":[\"192.0.2.0/33\"]}", ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"siem\",\"networks\":[\"192.0.2\"]}", ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"siem\",\"networks\":[\"192.0.2.0/24/2\"]}",
         ERR_CONF_VALUE},
        {HUB_CREDENTIAL_PUT, "{\"member\":\"bank\",\"name\":\"siem\",\"networks\":[7]}", ERR_CONF_VALUE},
        {HUB_CREDENTIAL_REMOVE, "{\"member\":\"bank\",\"name\":\"a\"}", ERR_NOT_FOUND},
        {HUB_CREDENTIAL_REMOVE, "{\"member\":\"nobody\",\"name\":\"a\"}", ERR_NOT_FOUND},
    };
    struct hub_test t;
    char at[64];

    set_up(&t);
    struct hub_party *bank = hub_test_member(&t, "bank", "");
    struct slice token = add_token(&t, "bank", "siem", "", at);
    for (size_t i = 0; i < ROWS(rows); i++)
        if (hub_test_act_fails(&t, rows[i].kind, NULL, "%s", rows[i].detail) != rows[i].code)
            fail_row(i, "%s", rows[i].detail);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", token, HOME), ERR_NONE);
    for (int i = 1; i < HUB_CREDENTIALS_MAX; i++) {
        char name[16], other[64];
        snprintf(name, sizeof name, "t%d", i);
        add_token(&t, "bank", name, "", other);
    }
    assert_int_equal(hub_test_act_fails(&t, HUB_CREDENTIAL_PUT, NULL, "%s",
                                        "{\"member\":\"bank\",\"name\":\"more\",\"kind\":\"token\"}"),
                     ERR_CONF_VALUE);
    hub_party_drop(&bank);
    hub_test_close(&t);
}

static void test_hub_doors__guesses_wait_and_members_do_not(void **state)
{
    struct hub_test t;
    char at[64];

    set_up(&t);
    struct hub_party *bank = member_with_password(&t, "bank", "a word");
    struct slice token = add_token(&t, "bank", "siem", "", at);
    assert_int_equal(tries(&t, HUB_CLAIM_BASIC, "bank", SLICE("a word"), AWAY), ERR_NONE);
    for (int i = 0; i < HUB_FAILURES_FREE; i++)
        assert_int_equal(tries(&t, HUB_CLAIM_BASIC, i % 2 == 0 ? "bank" : "nobody", SLICE("guess"), AWAY),
                         ERR_UNAUTHENTICATED);
    assert_int_equal(tries(&t, HUB_CLAIM_BASIC, "bank", SLICE("guess"), AWAY), ERR_TOO_MANY);
    assert_int_equal(last.retry_s, 1);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", SLICE("tocsin_guess"), AWAY), ERR_TOO_MANY);
    assert_int_equal(tries(&t, HUB_CLAIM_BASIC, "nobody", SLICE("guess"), AWAY), ERR_TOO_MANY); /* not told apart */
    assert_int_equal(tries(&t, HUB_CLAIM_BASIC, "bank", SLICE("a word"), AWAY), ERR_NONE);      /* verified before */
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", token, AWAY), ERR_NONE);
    assert_int_equal(tries(&t, HUB_CLAIM_BASIC, "bank", SLICE("a word"), HOME), ERR_NONE);
    now_us += 301 * 1000000; /* the cache has forgotten, the source has waited */
    assert_int_equal(tries(&t, HUB_CLAIM_BASIC, "bank", SLICE("a word"), AWAY), ERR_NONE);
    hub_party_drop(&bank);
    hub_test_close(&t);
}

static void test_hub_doors__rates(void **state)
{
    struct hub_test t;
    char at[64], other_at[64], id[37];
    struct arena a = ARENA_INIT;

    set_up(&t);
    hub_test_collection(&t, "alerts", ",\"open\":true", id);
    struct hub_party *bank = hub_test_member(&t, "bank", "");
    struct slice token = add_token(&t, "bank", "siem", ",\"requests\":2,\"objects\":2", at);
    struct slice other = add_token(&t, "bank", "other", "", other_at);
    struct hub_party *in = ask_as(&t, HUB_CLAIM_BEARER, "", token, HOME);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", token, HOME), ERR_NONE);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", token, HOME), ERR_TOO_MANY);
    assert_int_equal(last.retry_s, 30);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", other, HOME), ERR_NONE);
    now_us += 120 * 1000000;
    struct slice objects[3];
    for (unsigned i = 0; i < 3; i++)
        objects[i] = hub_test_indicator(&a, i, 1, TLP_GREEN, "");
    hub_test_submit_good(&t, in, id, arena_copy(&a, hub_test_list(&a, objects, 3)).ptr);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", token, HOME), ERR_TOO_MANY);
    assert_int_equal(last.retry_s, 31); /* three of two a minute, and a moment for the next */
    now_us += 31 * 1000000;
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", token, HOME), ERR_NONE);
    arena_free(&a);
    hub_party_drop(&in);
    hub_party_drop(&bank);
    hub_test_close(&t);
}

/* ---- short tokens ---- */

static struct slice access_token(struct hub_test *t, const struct hub_party *party, int64_t until_us, struct buf *out)
{
    buf_clear(out);
    hub_access_put(t->hub, party, until_us, out);
    return buf_slice(out);
}

static void test_hub_doors__access_tokens(void **state)
{
    struct hub_test t;
    char at[64];
    struct buf text = BUF_INIT;
    int64_t later = time_now_us() + 900 * INT64_C(1000000);

    set_up(&t);
    struct hub_party *bank = hub_test_member(&t, "bank", "");
    struct slice token = add_token(&t, "bank", "siem", "", at);
    struct hub_party *in = ask_as(&t, HUB_CLAIM_BEARER, "", token, HOME);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", access_token(&t, in, later, &text), HOME), ERR_NONE);
    assert_int_equal(tries(&t, HUB_CLAIM_BASIC, "bank", access_token(&t, in, later, &text), HOME), ERR_UNAUTHENTICATED);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", access_token(&t, in, time_now_us(), &text), HOME),
                     ERR_UNAUTHENTICATED); /* over */
    access_token(&t, in, later, &text);
    for (size_t i = strlen(HUB_ACCESS_PREFIX); i < text.len; i++) {
        struct hub_directory *d = hub_directory_hold(t.hub);
        text.ptr[i] ^= 1;
        assert_null(hub_access_find(t.hub, d, buf_slice(&text), time_now_us()));
        text.ptr[i] ^= 1;
        assert_non_null(hub_access_find(t.hub, d, buf_slice(&text), time_now_us()));
        hub_directory_drop(&d);
    }
    /* It ends with a change of its credential; what holds for that holds for it. */
    hub_test_act(&t, HUB_CREDENTIAL_PUT, NULL, "{\"member\":\"bank\",\"name\":\"siem\",\"networks\":[\"%s\"]}", AWAY);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", buf_slice(&text), AWAY), ERR_UNAUTHENTICATED);
    hub_party_drop(&in);
    in = ask_as(&t, HUB_CLAIM_BEARER, "", token, AWAY);
    access_token(&t, in, later, &text);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", buf_slice(&text), HOME), ERR_UNAUTHENTICATED);
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", buf_slice(&text), AWAY), ERR_NONE);
    hub_test_act(&t, HUB_CREDENTIAL_REMOVE, NULL, "{\"member\":\"bank\",\"name\":\"%s\"}", "siem");
    assert_int_equal(tries(&t, HUB_CLAIM_BEARER, "", buf_slice(&text), AWAY), ERR_UNAUTHENTICATED);
    buf_free(&text);
    hub_party_drop(&in);
    hub_party_drop(&bank);
    hub_test_close(&t);
}

/* What the operator reads: everything but what a credential is checked against. */
static void test_hub_doors__the_list_tells_no_secret(void **state)
{
    struct hub_test t;
    char at[64];
    struct buf list = BUF_INIT;

    set_up(&t);
    struct hub_party *bank = member_with_password(&t, "bank", "a word");
    struct slice token = add_token(&t, "bank", "siem", ",\"networks\":[\"192.0.2.0/24\"],\"rights\":\"read\"", at);
    hub_put_credentials(t.hub, &list);
    assert_true(hub_holds(buf_slice(&list), "\"siem\"") && hub_holds(buf_slice(&list), "192.0.2.0/24"));
    assert_true(hub_holds(buf_slice(&list), "\"password\""));
    assert_false(hub_holds(buf_slice(&list), "argon2"));
    at[token.len] = '\0';
    assert_false(hub_holds(buf_slice(&list), at));
    struct hub_directory *d = hub_directory_hold(t.hub);
    for (size_t i = 0; i < d->members[0].n_credentials; i++) {
        struct slice check = arena_copy(&d->arena, d->members[0].credentials[i].check);
        assert_false(hub_holds(buf_slice(&list), check.ptr));
        assert_false(slice_find(d->members[0].row, token) < d->members[0].row.len);
    }
    hub_directory_drop(&d);
    buf_free(&list);
    hub_party_drop(&bank);
    hub_test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_doors__tokens),
        cmocka_unit_test(test_hub_doors__survive_a_restart),
        cmocka_unit_test(test_hub_doors__revocation),
        cmocka_unit_test(test_hub_doors__changes_end_what_came_in),
        cmocka_unit_test(test_hub_doors__certificates),
        cmocka_unit_test(test_hub_doors__kinds_are_kept_apart),
        cmocka_unit_test(test_hub_doors__networks),
        cmocka_unit_test(test_hub_doors__acts_that_are_refused),
        cmocka_unit_test(test_hub_doors__guesses_wait_and_members_do_not),
        cmocka_unit_test(test_hub_doors__rates),
        cmocka_unit_test(test_hub_doors__access_tokens),
        cmocka_unit_test(test_hub_doors__the_list_tells_no_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
