#include "test.h"

#include "hub/doors.h"

#define BASIC "Basic YmFuazpzZWNyZXQ=" /* bank:secret */

static void test_hub_oauth__requests(void **state)
{
    static const struct {
        const char *body, *authorization;
        enum err_code code;
        const char *place, *user, *secret;
    } rows[] = {
        {"grant_type=client_credentials", BASIC, ERR_NONE, "", "bank", "secret"},
        {"grant_type=client_credentials&scope=taxii", BASIC, ERR_NONE, "", "bank", "secret"},
        {"grant_type=client_credentials&client_id=bank", BASIC, ERR_NONE, "", "bank", "secret"},
        {"grant_type=client_credentials&client_id=bank&client_secret=secret", NULL, ERR_NONE, "", "bank", "secret"},
        {"client_secret=a%2Bb+c%26%3D&client_id=b%61nk&grant_type=client_credentials", NULL, ERR_NONE, "", "bank",
         "a+b c&="},
        {"grant_type=client_credentials&resource=x&client_id=bank&client_secret=s&audience", NULL, ERR_NONE, "", "bank",
         "s"},
        {"&&grant_type=client_credentials&", BASIC, ERR_NONE, "", "bank", "secret"},
        {"", BASIC, ERR_BAD_REQUEST, "", "", ""},
        {"grant_type", BASIC, ERR_BAD_REQUEST, "", "", ""},
        {"grant_type=", BASIC, ERR_BAD_REQUEST, "", "", ""},
        {"grant_type=password&username=a&password=b", BASIC, ERR_BAD_REQUEST, "grant_type", "", ""},
        {"grant_type=client_credentials&grant_type=client_credentials", BASIC, ERR_BAD_REQUEST, "grant_type", "", ""},
        {"grant_type=client_credentials&client_id=a&client_id=b&client_secret=c", NULL, ERR_BAD_REQUEST, "client_id",
         "", ""},
        {"grant_type=client_credentials&scope=admin", BASIC, ERR_BAD_REQUEST, "scope", "", ""},
        {"grant_type=client_credentials&client_id=bank&client_secret=secret", BASIC, ERR_BAD_REQUEST, "", "", ""},
        {"grant_type=client_credentials&client_id=clinic", BASIC, ERR_BAD_REQUEST, "", "", ""},
        {"grant_type=client_credentials&client_secret=secret", NULL, ERR_BAD_REQUEST, "", "", ""},
        {"grant_type=client_credentials%", BASIC, ERR_BAD_REQUEST, "", "", ""},
        {"grant_type=client_credentials%00", BASIC, ERR_BAD_REQUEST, "", "", ""},
        {"grant_type=client_credentials", "Bearer tocsina_x", ERR_UNAUTHENTICATED, "", "", ""},
        {"grant_type=client_credentials", "Basic %%%", ERR_UNAUTHENTICATED, "Authorization", "", ""},
        {"{\"grant_type\":\"client_credentials\"}", BASIC, ERR_BAD_REQUEST, "", "", ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct arena a = ARENA_INIT;
        struct http_header header = {SLICE("Authorization"), slice_of(rows[i].authorization)};
        struct http_head head = {.headers = &header, .n_headers = rows[i].authorization != NULL};
        struct hub_claim claim;
        struct err err = ERR_INIT;

        int result = hub_oauth_read(slice_of(rows[i].body), &head, &a, &claim, &err);
        if (err.code != rows[i].code || (result == 0) != (rows[i].code == ERR_NONE))
            fail_row(i, "%s: %s", err_name(err.code), err.text);
        if (err.code == ERR_BAD_REQUEST && (err.place[0] != '\0') != (rows[i].place[0] != '\0'))
            fail_row(i, "at %s", err.place);
        if (result == 0) {
            assert_int_equal(claim.kind, HUB_CLAIM_BASIC);
            assert_slice(claim.user, rows[i].user);
            assert_slice(claim.secret, rows[i].secret);
        }
        arena_free(&a);
    }
}

/* Nobody said who it is: that is for the door to refuse, as 401 and not as a bad form. */
static void test_hub_oauth__nobody(void **state)
{
    struct arena a = ARENA_INIT;
    struct http_head head = {.n_headers = 0};
    struct hub_claim claim;

    assert_int_equal(hub_oauth_read(SLICE("grant_type=client_credentials&client_id=bank"), &head, &a, &claim, NULL), 0);
    assert_int_equal(claim.kind, HUB_CLAIM_NOTHING);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hub_oauth__requests),
        cmocka_unit_test(test_hub_oauth__nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
