#include "test.h"

#include "hub/doors.h"

static void test_hub_claim__schemes(void **state)
{
    static const struct {
        const char *authorization, *key; /* NULL: no such header */
        enum err_code code;
        enum hub_claim_kind kind;
        const char *user, *secret;
    } rows[] = {
        {NULL, NULL, ERR_NONE, HUB_CLAIM_NOTHING, "", ""},
        {"Basic YmFuazpzZWNyZXQ=", NULL, ERR_NONE, HUB_CLAIM_BASIC, "bank", "secret"},
        {"basic YmFuazpzZWNyZXQ=", NULL, ERR_NONE, HUB_CLAIM_BASIC, "bank", "secret"}, /* as MISP sends it */
        {"BASIC   YmFuazpzZWNyZXQ=  ", NULL, ERR_NONE, HUB_CLAIM_BASIC, "bank", "secret"},
        {"Basic YmFuazpzZWNyZXQ", NULL, ERR_NONE, HUB_CLAIM_BASIC, "bank", "secret"}, /* without its padding */
        {"Basic OnNlY3JldA==", NULL, ERR_NONE, HUB_CLAIM_BASIC, "", "secret"},        /* a key and no user */
        {"Basic c2VjcmV0", NULL, ERR_NONE, HUB_CLAIM_BASIC, "secret", ""},            /* no colon */
        {"Basic c2VjcmV0Og==", NULL, ERR_NONE, HUB_CLAIM_BASIC, "secret", ""},
        {"Basic YmFuazphOmI6Yw==", NULL, ERR_NONE, HUB_CLAIM_BASIC, "bank", "a:b:c"}, /* colons in the password */
        {"Basic Og==", NULL, ERR_NONE, HUB_CLAIM_BASIC, "", ""},
        {"Basic", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"Basic ", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"Basic %%%not-base64", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"Basic YmFuazpzZWNyZXQ=x", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"Basic YmFu azpz", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"YmFuazpzZWNyZXQ=", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"Bearer tocsin_x", NULL, ERR_NONE, HUB_CLAIM_BEARER, "", "tocsin_x"},
        {"bEARER  tocsin_x ", NULL, ERR_NONE, HUB_CLAIM_BEARER, "", "tocsin_x"},
        {"Token tocsin_x", NULL, ERR_NONE, HUB_CLAIM_BEARER, "", "tocsin_x"},
        {"token tocsin_x", NULL, ERR_NONE, HUB_CLAIM_BEARER, "", "tocsin_x"},
        {"Bearer", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"Bearer a b", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"Bearer caf\xc3\xa9", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"Digest username=\"bank\"", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {"", NULL, ERR_UNAUTHENTICATED, 0, "", ""},
        {NULL, "tocsin_x", ERR_NONE, HUB_CLAIM_BEARER, "", "tocsin_x"},
        {NULL, " tocsin_x", ERR_NONE, HUB_CLAIM_BEARER, "", "tocsin_x"},
        {NULL, "", ERR_UNAUTHENTICATED, 0, "", ""},
        {"Bearer one", "two", ERR_NONE, HUB_CLAIM_BEARER, "", "one"}, /* Authorization is what HTTP says */
        {"Basic x", "two", ERR_UNAUTHENTICATED, 0, "", ""},           /* and is not passed over when it is bad */
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct http_header headers[2];
        struct http_head head = {.headers = headers};
        struct hub_claim claim;
        struct err err = ERR_INIT;

        if (rows[i].key != NULL)
            headers[head.n_headers++] = (struct http_header){SLICE("x-api-KEY"), slice_of(rows[i].key)};
        if (rows[i].authorization != NULL)
            headers[head.n_headers++] = (struct http_header){SLICE("authorization"), slice_of(rows[i].authorization)};
        int result = hub_claim_read(&head, SLICE("X-API-Key"), &a, &claim, &err);
        if (err.code != rows[i].code || (result == 0) != (rows[i].code == ERR_NONE))
            fail_row(i, "%s: %s", err_name(err.code), err.text);
        if (result == 0) {
            assert_int_equal(claim.kind, rows[i].kind);
            assert_slice(claim.user, rows[i].user);
            assert_slice(claim.secret, rows[i].secret);
        }
        arena_free(&a);
    }
}

static void test_hub_claim__two_headers_are_refused(void **state)
{
    struct arena a = ARENA_INIT;
    struct http_header headers[] = {{SLICE_INIT("Authorization"), SLICE_INIT("Bearer one")},
                                    {SLICE_INIT("authorization"), SLICE_INIT("Bearer one")}};
    struct http_head head = {.headers = headers, .n_headers = 2};
    struct hub_claim claim;
    struct err err = ERR_INIT;

    assert_int_equal(hub_claim_read(&head, SLICE(""), &a, &claim, &err), -1);
    assert_int_equal(err.code, ERR_BAD_REQUEST);
    arena_free(&a);
}

static void test_hub_claim__the_header_is_the_operators(void **state)
{
    struct arena a = ARENA_INIT;
    struct http_header header = {SLICE("X-API-Key"), SLICE("one")};
    struct http_head head = {.headers = &header, .n_headers = 1};
    struct hub_claim claim;

    assert_int_equal(hub_claim_read(&head, SLICE("X-Feed-Key"), &a, &claim, NULL), 0);
    assert_int_equal(claim.kind, HUB_CLAIM_NOTHING);
    assert_int_equal(hub_claim_read(&head, SLICE(""), &a, &claim, NULL), 0); /* switched off */
    assert_int_equal(claim.kind, HUB_CLAIM_NOTHING);
    arena_free(&a);
}

static void test_hub_claim__certificates(void **state)
{
    static const struct http_certificate good = {.subject = SLICE_INIT("CN=bank")};
    static const struct {
        const char *authorization;
        const struct http_certificate *certificate;
        const char *refused;
        enum err_code code;
        enum hub_claim_kind kind;
    } rows[] = {
        {NULL, &good, "", ERR_NONE, HUB_CLAIM_CERTIFICATE},
        {NULL, NULL, "it is revoked", ERR_UNAUTHENTICATED, 0},
        {"Bearer one", &good, "", ERR_NONE, HUB_CLAIM_BEARER}, /* programs show what certificate they have */
        {"Bearer one", NULL, "it is revoked", ERR_NONE, HUB_CLAIM_BEARER},
        {"Basic x", &good, "", ERR_UNAUTHENTICATED, 0},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct http_header header = {SLICE("Authorization"), slice_of(rows[i].authorization)};
        struct http_head head = {.headers = &header,
                                 .n_headers = rows[i].authorization != NULL,
                                 .certificate = rows[i].certificate,
                                 .certificate_refused = slice_of(rows[i].refused)};
        struct hub_claim claim;
        struct err err = ERR_INIT;

        int result = hub_claim_read(&head, SLICE("X-API-Key"), &a, &claim, &err);
        if (err.code != rows[i].code || (result == 0 && claim.kind != rows[i].kind))
            fail_row(i, "%s: %s", err_name(err.code), err.text);
        arena_free(&a);
    }
}

static void test_hub_claim__length(void **state)
{
    struct arena a = ARENA_INIT;
    char text[8 + HUB_SECRET_MAX + 1];
    struct http_header header = {SLICE("Authorization"), {text, 0}};
    struct http_head head = {.headers = &header, .n_headers = 1};
    struct hub_claim claim;

    memset(text, 'a', sizeof text);
    memcpy(text, "Bearer  ", 8);
    for (size_t more = 0; more < 2; more++) {
        header.value.len = 8 + HUB_SECRET_MAX + more;
        assert_int_equal(hub_claim_read(&head, SLICE(""), &a, &claim, NULL), more == 0 ? 0 : -1);
    }
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_claim__schemes),
        cmocka_unit_test(test_hub_claim__two_headers_are_refused),
        cmocka_unit_test(test_hub_claim__the_header_is_the_operators),
        cmocka_unit_test(test_hub_claim__certificates),
        cmocka_unit_test(test_hub_claim__length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
