#include "base/json.h"

#include <assert.h>
#include <stdio.h>

#include "base/crypto.h"
#include "base/json_tape.h"

/* A value or key that follows another needs a comma. Behind a blank or a newline stands whatever the caller put there
   (a line before, "data: "), never a value of ours: those end in a quote, a bracket, a digit or a letter. */
static void put_comma(struct buf *out)
{
    if (out->len == 0)
        return;
    char last = out->ptr[out->len - 1];
    if (last != '{' && last != '[' && last != ':' && last != ',' && !json_is_blank(last))
        buf_put_byte(out, ',');
}

void json_put_open(struct buf *out, char brace)
{
    assert(brace == '{' || brace == '[');
    put_comma(out);
    buf_put_byte(out, brace);
}

void json_put_close(struct buf *out, char brace)
{
    assert(brace == '}' || brace == ']');
    buf_put_byte(out, brace);
}

static void put_escape(struct buf *out, char c)
{
    static const char letters[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    unsigned char byte = (unsigned char)c;

    if (c == '"' || c == '\\' || letters[byte] != 0) {
        buf_put_byte(out, '\\');
        buf_put_byte(out, c == '"' || c == '\\' ? c : letters[byte]);
    } else {
        buf_printf(out, "\\u%04x", byte);
    }
}

static void put_quoted(struct buf *out, struct slice s)
{
    size_t from = 0;

    buf_reserve(out, s.len + 2);
    buf_put_byte(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if ((unsigned char)c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_put(out, slice_n(s.ptr + from, i - from));
        put_escape(out, c);
        from = i + 1;
    }
    buf_put(out, slice_from(s, from));
    buf_put_byte(out, '"');
}

void json_put_key(struct buf *out, struct slice key)
{
    put_comma(out);
    put_quoted(out, key);
    buf_put_byte(out, ':');
}

void json_put_string(struct buf *out, struct slice s)
{
    put_comma(out);
    put_quoted(out, s);
}

void json_put_int(struct buf *out, int64_t value)
{
    put_comma(out);
    if (value < 0)
        buf_put_byte(out, '-');
    buf_put_u64(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_put_bool(struct buf *out, bool value)
{
    put_comma(out);
    buf_put(out, value ? SLICE("true") : SLICE("false"));
}

void json_put_raw(struct buf *out, struct slice text)
{
    put_comma(out);
    buf_put(out, slice_trim(text));
}

void json_put_text(struct buf *out, const char *key, struct slice s)
{
    json_put_key(out, slice_of(key));
    json_put_string(out, s);
}

void json_put_hex(struct buf *out, const char *key, const void *bytes, size_t n)
{
    json_put_key(out, slice_of(key));
    buf_put_byte(out, '"');
    crypto_put_hex(out, bytes, n);
    buf_put_byte(out, '"');
}

void json_put_number(struct buf *out, const char *key, int64_t value)
{
    json_put_key(out, slice_of(key));
    json_put_int(out, value);
}
