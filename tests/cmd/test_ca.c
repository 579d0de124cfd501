#include "test.h"

#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto_cert.h"
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "cmd/ca.h"
#include "cmd/commands.h"

static char home[] = "/tmp/tocsin-test-ca-XXXXXX";
static struct arena a;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    return remove(path);
}

static int setup(void **state)
{
    strcpy(home + strlen(home) - 6, "XXXXXX");
    if (mkdtemp(home) == NULL || chdir(home) != 0)
        return -1;
    return file_write_atomic("pass", SLICE("geheim\nsecond line\n"), 0600, NULL);
}

static int teardown(void **state)
{
    arena_free(&a);
    return chdir("/") == 0 ? nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

/* Runs "ca" with these words; "_" stands for a blank within one. What it prints is in *out. */
static int ca(const char *words, struct slice *out)
{
    char *argv[30] = {(char[]){"ca"}};
    int argc = 1;
    struct slice rest = slice_of(words), word;

    while (argc < 29 && slice_cut(&rest, ' ', &word)) {
        argv[argc] = (char *)arena_copy(&a, word).ptr;
        for (char *c = argv[argc]; *c != '\0'; c++)
            *c = *c == '_' ? ' ' : *c;
        argc++;
    }
    fflush(stdout);
    int saved = dup(STDOUT_FILENO), errors = dup(STDERR_FILENO);
    assert_non_null(freopen("told", "w", stdout));
    assert_non_null(freopen("errors", "w", stderr));
    int status = cmd_ca(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(saved, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    close(saved);
    close(errors);
    if (out != NULL)
        assert_int_equal(file_read(&a, "told", 1000000, out, NULL), 0);
    return status;
}

static void done(const char *words)
{
    struct slice text;

    if (ca(words, NULL) != STATUS_DONE) {
        file_read(&a, "errors", 10000, &text, NULL);
        fail_msg("ca %s: " SLICE_FMT, words, SLICE_ARG(text));
    }
}

static struct json done_json(const char *words)
{
    struct slice text;
    struct json root = {NULL, 0};

    if (ca(words, &text) != STATUS_DONE || json_parse(&a, text, NULL, &root, NULL) != 0)
        fail_msg("ca %s", words);
    return root;
}

static struct slice read_text(const char *path)
{
    struct slice text;
    struct err err = ERR_INIT;

    if (file_read(&a, path, 1000000, &text, &err) != 0)
        fail_msg("%s: %s", path, err.text);
    return text;
}

static struct crypto_cert read_cert(const char *path)
{
    struct crypto_cert told;

    assert_int_equal(crypto_cert_read(&a, read_text(path), &told, NULL), 0);
    return told;
}

/* DER of the first certificate of a file. */
static struct slice der_of(const char *path)
{
    struct slice text = read_text(path), rest, line;
    struct buf base64 = BUF_INIT, der = BUF_INIT;

    rest = slice_to(text, slice_find(text, SLICE("-----END")));
    slice_cut(&rest, '\n', &line);
    while (slice_cut(&rest, '\n', &line))
        buf_put(&base64, line);
    assert_true(crypto_base64(buf_slice(&base64), false, &der));
    struct slice copy = arena_copy(&a, buf_slice(&der));
    buf_free(&base64);
    buf_free(&der);
    return copy;
}

/* Would a hub with these files take this client's certificate? */
static bool trusts(const char *authorities, const char *list, const char *cert, const char *chain)
{
    struct crypto_trust *trust;
    struct slice more = chain != NULL ? der_of(chain) : SLICE("");
    struct err err = ERR_INIT;

    if (crypto_trust_make(read_text(authorities), list != NULL ? read_text(list) : SLICE(""), &trust, &err) != 0)
        fail_msg("%s", err.text);
    bool good = crypto_trust_check(trust, der_of(cert), &more, chain != NULL, time_now_us(), &err) == 0;
    crypto_trust_drop(&trust);
    return good;
}

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void test_cmd_ca__profiles(void **state)
{
    static const struct {
        const char *words, *file;
        bool authority, server, client;
        int days;
    } rows[] = {
        {"issue root --profile hub --name h --host hub.example --host 192.0.2.1 --out hub", "hub.pem", false, true,
         false, 397},
        {"issue root --profile member --name bank --out bank", "bank.pem", false, false, true, 365},
        {"issue root --profile member --name clinic --days 3 --out clinic", "clinic.pem", false, false, true, 3},
        {"issue root --profile issuer --name i --out issuer", "issuer.pem", true, false, false, 1825},
    };

    done("init root --name Harbour_root");
    for (size_t i = 0; i < ROWS(rows); i++) {
        done(rows[i].words);
        struct crypto_cert told = read_cert(rows[i].file);
        int64_t lasts = told.until_us - time_now_us(), wanted = rows[i].days * INT64_C(86400000000);
        if (told.authority != rows[i].authority || told.server != rows[i].server || told.client != rows[i].client ||
            lasts > wanted || lasts < wanted - 60000000)
            fail_row(i, "%d %d %d", told.authority, told.server, told.client);
        assert_slice(told.issuer, "CN=Harbour root");
    }
    assert_int_equal(read_cert("hub.pem").n_names, 2);
    assert_int_equal(mode_of("bank.key"), 0600);
    assert_int_equal(mode_of("root/ca.key"), 0600);
    assert_true(crypto_cert_fits(read_text("bank.pem"), read_text("bank.key")));
    assert_true(trusts("root/ca.pem", NULL, "bank.pem", NULL));
    assert_false(trusts("root/ca.pem", NULL, "hub.pem", NULL));
    assert_int_equal(json_count(done_json("list root --json")), 4);
}

static void test_cmd_ca__passphrase(void **state)
{
    static const struct {
        const char *words;
        int status;
    } rows[] = {
        {"crl root", STATUS_USAGE},
        {"crl root --passphrase-file pass", STATUS_DONE},
        {"crl root --passphrase-env TOCSINPASS", STATUS_DONE},
        {"crl root --passphrase-env TOCSINNONE", STATUS_USAGE},
        {"crl root --passphrase-file wrong", STATUS_REFUSED},
        {"crl root --passphrase-file empty", STATUS_USAGE},
        {"crl root --passphrase-file pass --passphrase-env TOCSINPASS", STATUS_USAGE},
        {"crl root --passphrase-fd 99", STATUS_USAGE},
        {"list root", STATUS_DONE}, /* looking needs no key */
    };

    setenv("TOCSINPASS", "geheim", 1);
    file_write_atomic("wrong", SLICE("geheim2"), 0600, NULL);
    file_write_atomic("empty", SLICE("\n"), 0600, NULL);
    done("init root --name r --passphrase-file pass");
    assert_true(crypto_key_is_locked(read_text("root/ca.key")));
    for (size_t i = 0; i < ROWS(rows); i++) {
        int status = ca(rows[i].words, NULL);
        if (status != rows[i].status)
            fail_row(i, "%s: %d", rows[i].words, status);
    }
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "geheim\n", 7), 7);
    close(ends[1]);
    done(arena_printf(&a, "crl root --passphrase-fd %d", ends[0]).ptr);
    close(ends[0]);
    done("init plain --name p");
    assert_true(slice_find(read_text("errors"), SLICE("not under a passphrase")) < read_text("errors").len);
}

static void test_cmd_ca__revoke_and_list(void **state)
{
    done("init root --name r");
    done("issue root --profile member --name bank --out bank");
    done("issue root --profile member --name clinic --out clinic");
    done("crl root --out crl.pem");
    assert_true(trusts("root/ca.pem", "crl.pem", "bank.pem", NULL));
    done("revoke root bank");
    done("crl root --out crl.pem");
    assert_false(trusts("root/ca.pem", "crl.pem", "bank.pem", NULL));
    assert_true(trusts("root/ca.pem", "crl.pem", "clinic.pem", NULL));
    done(arena_printf(&a, "revoke root " SLICE_FMT, SLICE_ARG(read_cert("clinic.pem").serial)).ptr);
    done("revoke root bank"); /* again: the first moment stays */
    done("crl root --out crl.pem");
    assert_false(trusts("root/ca.pem", "crl.pem", "clinic.pem", NULL));
    struct slice number = read_text("root/crl.number");
    assert_slice(number, "3");
    json_each (row, done_json("list root --json"))
        assert_int_equal(json_kind(json_get(row, SLICE("revoked"))), JSON_STRING);
    assert_int_equal(ca("revoke root nobody", NULL), STATUS_REFUSED);
}

/* The authority that signs members stands between: a hub may trust it, or the root where the chain is sent. */
static void test_cmd_ca__issuer_below_a_root(void **state)
{
    done("init root --name r");
    done("issue root --profile issuer --name members --out issuer");
    assert_int_equal(file_make_dir("sub", 0700, NULL) | file_make_dir("sub/issued", 0700, NULL) |
                         file_make_dir("sub/revoked", 0700, NULL),
                     0);
    file_write_atomic("sub/ca.pem", read_text("issuer.pem"), 0644, NULL);
    file_write_atomic("sub/ca.key", read_text("issuer.key"), 0600, NULL);
    done("issue sub --profile member --name bank --out bank");
    done("issue sub --profile issuer --name deeper --out deeper"); /* signed, and good for nothing: the path is over */
    assert_true(trusts("issuer.pem", NULL, "bank.pem", NULL));
    assert_true(trusts("root/ca.pem", NULL, "bank.pem", "issuer.pem"));
    assert_false(trusts("root/ca.pem", NULL, "bank.pem", NULL));
    assert_true(slice_find(read_text("bank.pem"), slice_trim(read_text("issuer.pem"))) < read_text("bank.pem").len);
    done("revoke root members");
    done("crl root --out crl.pem");
    assert_false(trusts("root/ca.pem", "crl.pem", "bank.pem", "issuer.pem"));
}

static void test_cmd_ca__requests_and_renewal(void **state)
{
    struct buf csr = BUF_INIT, key = BUF_INIT;

    done("init root --name r");
    assert_int_equal(crypto_csr_make(SLICE("what they say"), &csr, &key, NULL), 0);
    file_write_atomic("bank.csr", buf_slice(&csr), 0644, NULL);
    done("issue root --profile member --name bank --csr bank.csr --out bank");
    assert_false(file_exists("bank.key"));
    assert_true(crypto_cert_fits(read_text("bank.pem"), buf_slice(&key)));
    struct crypto_cert first = read_cert("bank.pem");
    assert_slice(first.common_name, "bank"); /* as the authority says, not as the request does */
    done("issue root --profile hub --name h --host hub.example --host 2001:db8::1 --out hub");
    done(arena_printf(&a, "renew root " SLICE_FMT " --out hub2 --days 9", SLICE_ARG(read_cert("hub.pem").serial)).ptr);
    struct crypto_cert hub = read_cert("hub2.pem");
    assert_int_equal(hub.n_names, 2);
    assert_slice(hub.names[1], "IP:2001:db8::1");
    assert_true(hub.server && !hub.client);
    done("renew root bank --csr bank.csr --out bank2");
    assert_slice(read_cert("bank2.pem").common_name, "bank");
    assert_false(slice_eq(read_cert("bank2.pem").serial, first.serial));
    /* a request that its sender cannot have made */
    csr.ptr[csr.len / 2] = csr.ptr[csr.len / 2] == 'A' ? 'B' : 'A';
    file_write_atomic("bank.csr", buf_slice(&csr), 0644, NULL);
    assert_int_not_equal(ca("issue root --profile member --name x --csr bank.csr --out x", NULL), STATUS_DONE);
    assert_false(file_exists("x.pem"));
    buf_free(&csr);
    buf_free(&key);
}

static void test_cmd_ca__ocsp(void **state)
{
    int64_t until = 0, now = time_now_us();
    struct err err = ERR_INIT;

    done("init root --name r");
    done("issue root --profile hub --name h --host hub.example --out hub");
    done("issue root --profile hub --name o --host other.example --out other");
    done("ocsp root --cert hub.pem --out hub.ocsp --days 3");
    assert_int_equal(crypto_ocsp_until(read_text("hub.ocsp"), read_text("hub.pem"), now, &until, &err), 0);
    assert_true(until > now && until < now + INT64_C(4) * 86400 * 1000000);
    static const struct {
        const char *response, *cert;
        int days;
    } bad[] = {
        {"hub.ocsp", "other.pem", 0}, /* about another one */
        {"hub.ocsp", "hub.pem", 4},   /* out of date */
        {"hub.ocsp", "hub.pem", -1},  /* not valid yet */
        {"hub.pem", "hub.pem", 0},    /* no response */
    };
    for (size_t i = 0; i < ROWS(bad); i++)
        if (crypto_ocsp_until(read_text(bad[i].response), read_text(bad[i].cert),
                              now + bad[i].days * INT64_C(86400000000), &until, NULL) == 0)
            fail_row(i, "%s", bad[i].response);
    done("revoke root h");
    done("ocsp root --cert hub.pem --out hub.ocsp");
    assert_int_not_equal(crypto_ocsp_until(read_text("hub.ocsp"), read_text("hub.pem"), now, &until, &err), 0);
    done("init foreign --name f");
    assert_int_equal(ca("ocsp foreign --cert hub.pem --out x.ocsp", NULL), STATUS_REFUSED);
}

static void test_cmd_ca__refuses(void **state)
{
    static const struct {
        const char *words;
        int status;
    } rows[] = {
        {"", STATUS_USAGE},
        {"list", STATUS_USAGE},
        {"list nowhere", STATUS_CONFIG},
        {"bogus root", STATUS_USAGE},
        {"init root --name again", STATUS_REFUSED},
        {"init other", STATUS_USAGE},
        {"init other --name x --days 0", STATUS_USAGE},
        {"init other --name x --days 36501", STATUS_USAGE},
        {"issue root --profile member --name x", STATUS_USAGE},
        {"issue root --profile pirate --name x --out x", STATUS_USAGE},
        {"issue root --profile hub_and_member --name x --out x", STATUS_USAGE},
        {"issue root --profile hub --name x --out x", STATUS_USAGE},
        {"issue root --profile hub --name x --host a,b --out x", STATUS_CONFIG},
        {"issue root --profile member --name x --csr root/ca.pem --out x", STATUS_REFUSED},
        {"issue root --profile member --name x --out root/ca", STATUS_REFUSED}, /* writes over nothing */
        {"ocsp root --out x", STATUS_USAGE},
        {"renew root nobody --out x", STATUS_REFUSED},
    };

    done("init root --name r");
    for (size_t i = 0; i < ROWS(rows); i++) {
        int status = ca(rows[i].words, NULL);
        if (status != rows[i].status)
            fail_row(i, "%s: %d", rows[i].words, status);
    }
    assert_false(file_exists("x.pem"));
    assert_false(file_exists("other"));
    assert_int_equal(json_count(done_json("list root --json")), 0);
}

/* Killed at any moment: the next command goes on, and whatever anybody was given stands in the list. */
static void test_cmd_ca__killed(void **state)
{
    size_t n = 0;

    done("init root --name r");
    for (int i = 0; i < 12; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            for (int k = 0;; k++) {
                ca(arena_printf(&a, "issue root --profile member --name m --out m-%d-%d", i, k).ptr, NULL);
                ca("revoke root m", NULL);
                ca("crl root", NULL);
            }
        }
        usleep(10000 + 7000 * (useconds_t)i);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        struct json all = done_json("list root --json");
        for (int k = 0; file_exists(arena_printf(&a, "m-%d-%d.pem", i, k).ptr); k++) {
            struct crypto_cert told = read_cert(arena_printf(&a, "m-%d-%d.pem", i, k).ptr);
            bool listed = false;
            json_each (row, all)
                listed = listed || slice_eq(json_text(json_get(row, SLICE("serial"))), told.serial);
            assert_true(listed);
            n++;
        }
        done("crl root");
    }
    assert_true(n != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cmd_ca__profiles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_ca__passphrase, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_ca__revoke_and_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_ca__issuer_below_a_root, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_ca__requests_and_renewal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_ca__ocsp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_ca__refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cmd_ca__killed, setup, teardown),
    };

    if (crypto_start(NULL) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
