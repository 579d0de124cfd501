#include "cmd/admin.h"

#include <stdio.h>

#include "base/crypto.h"
#include "cmd/commands.h"
#include "cmd/control.h"

int admin_ask(struct arena *a, const struct options *o, const char *what, struct slice row, struct json *answer_out)
{
    struct buf request = BUF_INIT;
    struct err err = ERR_INIT;
    struct slice dir = arena_copy(a, options_get(o, "hub"));

    json_put_open(&request, '{');
    json_put_text(&request, "do", slice_of(what));
    if (row.ptr != NULL) {
        json_put_key(&request, SLICE("row"));
        json_put_raw(&request, row);
    }
    json_put_close(&request, '}');
    int result = control_ask(a, dir.ptr, buf_slice(&request), answer_out, &err);
    buf_free(&request);
    return result == 0 ? STATUS_DONE : command_fail(&err) == STATUS_CONNECT ? STATUS_CONNECT : STATUS_REFUSED;
}

static void print_value(struct arena *a, struct json value)
{
    struct slice text = json_string(a, value);

    if (json_kind(value) == JSON_ABSENT)
        text = SLICE("");
    else if (text.ptr == NULL)
        text = json_raw(value);
    printf("%-20.*s ", (int)text.len, text.ptr);
}

void admin_print(struct arena *a, const struct options *o, struct json rows, const char *const *columns, size_t n)
{
    if (options_has(o, "json")) {
        struct slice text = json_raw(rows);
        printf(SLICE_FMT "\n", SLICE_ARG(text));
        return;
    }
    for (size_t i = 0; i < n; i++)
        printf("%-20s ", columns[i]);
    printf("\n");
    json_each (row, rows) {
        for (size_t i = 0; i < n; i++)
            print_value(a, json_get(row, slice_of(columns[i])));
        printf("\n");
    }
}

int admin_list(struct arena *a, const struct options *o, const char *what, const char *const *columns, size_t n)
{
    struct json rows;
    int status = admin_ask(a, o, what, slice_n(NULL, 0), &rows);

    if (status == STATUS_DONE)
        admin_print(a, o, rows, columns, n);
    return status;
}

int admin_remove(struct arena *a, const struct options *o, const char *what)
{
    struct buf row = BUF_INIT;
    struct json answer;

    json_put_open(&row, '{');
    json_put_text(&row, "name", o->operands[1]);
    json_put_close(&row, '}');
    int status = admin_ask(a, o, what, buf_slice(&row), &answer);
    buf_free(&row);
    return status;
}

void admin_put_list(struct arena *a, const struct options *o, const char *option, const char *member, struct buf *row)
{
    struct slice *values;
    size_t n = options_all(a, o, option, &values);

    json_put_key(row, slice_of(member));
    json_put_open(row, '[');
    for (size_t i = 0; i < n; i++)
        json_put_string(row, values[i]);
    json_put_close(row, ']');
}

void admin_put_option(const struct options *o, const char *option, const char *member, struct buf *row)
{
    struct slice value = options_get(o, option);

    if (value.ptr != NULL)
        json_put_text(row, member, value);
}

int admin_find_collection(struct arena *a, const struct options *o, struct slice *id_out)
{
    struct slice wanted = options_get(o, "collection");
    struct json list;
    int status = admin_ask(a, o, "collections", slice_n(NULL, 0), &list);

    if (status != STATUS_DONE)
        return status;
    json_each (c, list) {
        if (wanted.ptr != NULL && !slice_eq(wanted, json_string(a, json_get(c, SLICE("name")))))
            continue;
        *id_out = json_string(a, json_get(c, SLICE("id")));
        return STATUS_DONE;
    }
    if (wanted.ptr == NULL)
        return STATUS_DONE;
    fprintf(stderr, "tocsin: --collection: no collection \"" SLICE_FMT "\" at this hub\n", SLICE_ARG(wanted));
    return STATUS_REFUSED;
}

void admin_make_password(struct arena *a, struct slice *password_out)
{
    uint8_t bytes[24];
    struct buf text = BUF_INIT;

    crypto_random(bytes, sizeof bytes);
    crypto_put_base64(&text, slice_n((const char *)bytes, sizeof bytes), true);
    *password_out = arena_copy(a, buf_slice(&text));
    buf_free(&text);
}

static struct slice hex_of(struct arena *a, const uint8_t *bytes, size_t n)
{
    struct buf hex = BUF_INIT;

    crypto_put_hex(&hex, bytes, n);
    struct slice text = arena_copy(a, buf_slice(&hex));
    buf_free(&hex);
    return text;
}

void admin_make_receipt_key(struct arena *a, struct slice *seed_out, struct slice *public_out)
{
    uint8_t seed[32], public_key[CRYPTO_SIGN_PUBLIC], secret[CRYPTO_SIGN_SECRET];

    crypto_random(seed, sizeof seed);
    crypto_sign_make_from(seed, public_key, secret);
    *seed_out = hex_of(a, seed, sizeof seed);
    *public_out = hex_of(a, public_key, sizeof public_key);
    crypto_wipe(seed, sizeof seed);
    crypto_wipe(secret, sizeof secret);
}

void admin_put_line(struct buf *out, const char *name, struct slice value)
{
    buf_printf(out, "%s: ", name);
    struct buf text = BUF_INIT;
    json_put_string(&text, value);
    buf_put(out, buf_slice(&text));
    buf_put_byte(out, '\n');
    buf_free(&text);
}

int admin_write_client(struct arena *a, const struct options *o, const struct admin_credential *c, struct slice path)
{
    struct json status;
    struct err err = ERR_INIT;
    struct slice dir = arena_copy(a, options_get(o, "hub")), authority;
    struct buf out = BUF_INIT;

    int result = admin_ask(a, o, "status", slice_n(NULL, 0), &status);
    if (result != STATUS_DONE)
        return result;
    if (file_read(a, file_join(a, dir.ptr, "tls/authority.pem").ptr, 1 << 20, &authority, &err) != 0)
        return command_fail(&err);
    buf_printf(&out, "# Tocsin client file: whoever has it acts as " SLICE_FMT ". Keep it secret.\n",
               SLICE_ARG(c->user));
    admin_put_line(&out, "url", json_string(a, json_get(status, SLICE("url"))));
    admin_put_line(&out, "user", c->user);
    admin_put_line(&out, "password", c->password);
    admin_put_line(&out, "root", c->root);
    admin_put_line(&out, "collection", c->collection);
    if (c->receipt_key.len != 0)
        admin_put_line(&out, "receipt_key", c->receipt_key);
    admin_put_line(&out, "ca", authority);
    result = file_write_atomic(arena_copy(a, path).ptr, buf_slice(&out), 0600, &err);
    buf_free(&out);
    return result == 0 ? STATUS_DONE : command_fail(&err);
}
