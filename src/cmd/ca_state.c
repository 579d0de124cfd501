#include "cmd/ca.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"

enum { PEM_MAX = 1024 * 1024, NAME_BYTES = 64 };
#define DAY_US (INT64_C(86400) * 1000000)

/* ---- making, opening ---- */

static int take_dir(struct arena *a, const char *dir, struct err *err)
{
    if (file_exists(file_join(a, dir, "ca.pem").ptr))
        return err_set(err, ERR_SYSTEM, dir, "there is an authority in this folder already: nothing was touched");
    if (file_make_dir(dir, 0700, err) != 0 || file_make_dir(file_join(a, dir, "issued").ptr, 0700, err) != 0)
        return -1;
    return file_make_dir(file_join(a, dir, "revoked").ptr, 0700, err);
}

int ca_make(struct arena *a, const char *dir, const struct crypto_cert_ask *ask, struct slice passphrase,
            struct err *err)
{
    struct buf cert = BUF_INIT, key = BUF_INIT, locked = BUF_INIT;
    int status = crypto_cert_make(ask, SLICE(""), SLICE(""), &cert, &key, err);

    if (status == 0 && passphrase.len != 0)
        status = crypto_key_lock(buf_slice(&key), passphrase, &locked, err);
    if (status == 0)
        status = take_dir(a, dir, err);
    if (status == 0)
        status = file_write_atomic(file_join(a, dir, "ca.key").ptr, buf_slice(passphrase.len != 0 ? &locked : &key),
                                   0600, err);
    if (status == 0) /* last: without it there is no authority */
        status = file_write_atomic(file_join(a, dir, "ca.pem").ptr, buf_slice(&cert), 0644, err);
    if (key.ptr != NULL)
        crypto_wipe(key.ptr, key.len);
    buf_free(&cert);
    buf_free(&key);
    buf_free(&locked);
    return status;
}

int ca_open(struct arena *a, const char *dir, struct ca *out, struct err *err)
{
    struct slice path = file_join(a, dir, "ca.pem");

    *out = (struct ca){.dir = dir, .key = BUF_INIT};
    if (!file_exists(path.ptr))
        return err_set(err, ERR_CONF_VALUE, dir, "there is no authority in this folder: tocsin ca init makes one");
    if (file_read(a, path.ptr, PEM_MAX, &out->cert, err) != 0)
        return -1;
    return crypto_cert_read(a, out->cert, &out->told, err);
}

bool ca_is_locked(struct arena *a, const struct ca *ca)
{
    struct slice text;

    return file_read(a, file_join(a, ca->dir, "ca.key").ptr, PEM_MAX, &text, NULL) == 0 && crypto_key_is_locked(text);
}

int ca_unlock(struct arena *a, struct ca *ca, struct slice passphrase, struct err *err)
{
    struct slice path = file_join(a, ca->dir, "ca.key"), text;

    if (file_read(a, path.ptr, PEM_MAX, &text, err) != 0)
        return -1;
    int status = crypto_key_unlock(text, passphrase, &ca->key, err);
    if (!crypto_key_is_locked(text))
        crypto_wipe((char *)text.ptr, text.len);
    if (status == 0 && !crypto_cert_fits(ca->cert, buf_slice(&ca->key)))
        return err_set(err, ERR_CRYPTO, path.ptr, "the key is not that of ca.pem");
    return status;
}

void ca_close(struct ca *ca)
{
    if (ca->key.ptr != NULL)
        crypto_wipe(ca->key.ptr, ca->key.len);
    buf_free(&ca->key);
}

/* ---- issuing ---- */

static struct slice path_of(struct arena *a, const struct ca *ca, const char *folder, struct slice serial,
                            const char *ending)
{
    return arena_printf(a, "%s/%s/" SLICE_FMT "%s", ca->dir, folder, SLICE_ARG(serial), ending);
}

int ca_issue(struct arena *a, struct ca *ca, const struct crypto_cert_ask *asked, struct slice csr,
             struct buf *cert_out, struct buf *key_out, struct crypto_cert *told_out, struct err *err)
{
    struct crypto_cert_ask ask = *asked;
    int status;

    if (ask.until_us > ca->told.until_us)
        ask.until_us = ca->told.until_us;
    if (csr.len != 0)
        status = crypto_csr_sign(&ask, csr, ca->cert, buf_slice(&ca->key), cert_out, err);
    else
        status = crypto_cert_make(&ask, ca->cert, buf_slice(&ca->key), cert_out, key_out, err);
    if (status != 0 || crypto_cert_read(a, buf_slice(cert_out), told_out, err) != 0)
        return -1;
    if (file_write_atomic(path_of(a, ca, "issued", told_out->serial, ".pem").ptr, buf_slice(cert_out), 0644, err) != 0)
        return -1;
    if (!slice_eq(ca->told.subject, ca->told.issuer))
        buf_put(cert_out, ca->cert);
    return 0;
}

/* ---- what was issued ---- */

static int read_issued(struct arena *a, const struct ca *ca, const char *name, struct ca_issued *out, struct err *err)
{
    struct slice path = file_join(a, file_join(a, ca->dir, "issued").ptr, name), at;

    if (file_read(a, path.ptr, PEM_MAX, &out->pem, err) != 0)
        return -1;
    if (crypto_cert_read(a, out->pem, &out->told, NULL) != 0)
        return err_set(err, ERR_CRYPTO, path.ptr, "this is no certificate");
    struct slice revoked = path_of(a, ca, "revoked", out->told.serial, "");
    out->revoked_us = 0;
    if (file_exists(revoked.ptr) &&
        (file_read(a, revoked.ptr, 100, &at, err) != 0 || !time_parse(slice_trim(at), &out->revoked_us)))
        return err_set(err, ERR_CONF_VALUE, revoked.ptr, "this does not hold the time of a revocation");
    return 0;
}

static int by_end(const void *left, const void *right)
{
    const struct ca_issued *l = left, *r = right;

    if (l->told.until_us != r->told.until_us)
        return l->told.until_us < r->told.until_us ? -1 : 1;
    return slice_cmp(l->told.serial, r->told.serial);
}

static int read_all(struct arena *a, const struct ca *ca, DIR *folder, struct buf *rows, struct err *err)
{
    struct dirent *entry;

    while ((entry = readdir(folder)) != NULL) {
        struct ca_issued row;
        if (!slice_ends(slice_of(entry->d_name), SLICE(".pem"))) /* also what an interrupted writing left */
            continue;
        if (read_issued(a, ca, entry->d_name, &row, err) != 0)
            return -1;
        buf_put(rows, slice_n((const char *)&row, sizeof row));
    }
    return 0;
}

int ca_list(struct arena *a, const struct ca *ca, struct ca_issued **list_out, size_t *n_out, struct err *err)
{
    struct slice path = file_join(a, ca->dir, "issued");
    struct buf rows = BUF_INIT;
    DIR *folder = opendir(path.ptr);

    if (folder == NULL)
        return err_set(err, ERR_SYSTEM, path.ptr, "cannot be read: %s", strerror(errno));
    int status = read_all(a, ca, folder, &rows, err);
    closedir(folder);
    *n_out = rows.len / sizeof **list_out;
    *list_out = arena_array(a, struct ca_issued, *n_out + 1);
    if (*n_out != 0)
        memcpy(*list_out, rows.ptr, rows.len);
    buf_free(&rows);
    if (status == 0)
        qsort(*list_out, *n_out, sizeof **list_out, by_end);
    return status;
}

int ca_revoke(struct arena *a, const struct ca *ca, struct slice serial, int64_t at_us, struct err *err)
{
    struct slice path = path_of(a, ca, "revoked", serial, "");
    char text[TIME_TEXT + 1];

    if (file_exists(path.ptr)) /* the first moment counts */
        return 0;
    time_put(text, at_us);
    text[TIME_TEXT] = '\n';
    return file_write_atomic(path.ptr, slice_n(text, sizeof text), 0644, err);
}

/* ---- revocation lists ---- */

static int next_number(struct arena *a, const struct ca *ca, uint64_t *number_out, struct err *err)
{
    struct slice path = file_join(a, ca->dir, "crl.number"), text;
    struct buf next = BUF_INIT;

    *number_out = 0;
    if (file_exists(path.ptr) &&
        (file_read(a, path.ptr, 100, &text, err) != 0 || !slice_u64(slice_trim(text), number_out)))
        return err_set(err, ERR_CONF_VALUE, path.ptr, "this does not hold the number of the last list");
    buf_put_u64(&next, ++*number_out);
    int status = file_write_atomic(path.ptr, buf_slice(&next), 0644, err); /* first: a number is never used twice */
    buf_free(&next);
    return status;
}

int ca_write_list(struct arena *a, struct ca *ca, int64_t until_us, struct slice *pem_out, size_t *n_out,
                  struct err *err)
{
    struct ca_issued *all;
    size_t n;
    uint64_t number;
    struct buf pem = BUF_INIT;
    int64_t now = time_now_us();

    if (ca_list(a, ca, &all, &n, err) != 0 || next_number(a, ca, &number, err) != 0)
        return -1;
    struct crypto_revoked *revoked = arena_array(a, struct crypto_revoked, n + 1);
    *n_out = 0;
    for (size_t i = 0; i < n; i++)
        if (all[i].revoked_us != 0 && all[i].told.until_us > now - DAY_US) /* what has expired is refused anyway */
            revoked[(*n_out)++] = (struct crypto_revoked){all[i].told.serial, all[i].revoked_us};
    int status = crypto_crl_make(revoked, *n_out, number, now, until_us, ca->cert, buf_slice(&ca->key), &pem, err);
    *pem_out = arena_copy(a, buf_slice(&pem));
    buf_free(&pem);
    return status == 0 ? file_write_atomic(file_join(a, ca->dir, "crl.pem").ptr, *pem_out, 0644, err) : -1;
}
