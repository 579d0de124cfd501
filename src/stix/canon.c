#include "stix/internal.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_EXACT (INT64_C(1) << 53) /* whole numbers up to here are doubles */

/* RFC 8785, JSON Canonicalization Scheme: no blanks, members sorted by UTF-16 code units, numbers as ECMAScript prints
   them, strings with as few escapes as there can be. */

void stix_canon_string(struct buf *out, struct slice s)
{
    static const char *const shorts[32] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};

    buf_put_byte(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '"' || c == '\\') {
            buf_put_byte(out, '\\');
            buf_put_byte(out, (char)c);
        } else if (c >= 0x20) {
            buf_put_byte(out, (char)c);
        } else if (shorts[c] != NULL) {
            buf_put(out, slice_of(shorts[c]));
        } else {
            buf_printf(out, "\\u%04x", c);
        }
    }
    buf_put_byte(out, '"');
}

/* The next decimal of as many digits ("1.29e+01" to "1.30e+01"). false: there is none with this exponent. */
static bool decimal_step(char *text)
{
    for (char *p = strchr(text, 'e') - 1; p >= text; p--) {
        if (*p == '.')
            continue;
        if (*p != '9') {
            ++*p;
            return true;
        }
        *p = '0';
    }
    return false;
}

/* Digits and exponent of the shortest decimal that reads back as the same double: 0.d1d2d3... x 10^exponent. */
static int shortest(double value, char digits[20], int *exponent_out)
{
    char text[40];
    int n = 0;

    /* a normal double keeps any 15 digits, so that shorter ones show as zeros at their end; a subnormal one keeps fewer
     */
    for (int precision = value < DBL_MIN ? 0 : 14; precision < 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, value);
        if (strtod(text, NULL) == value)
            break;
        /* above a power of two doubles stand twice as far apart as below it: the decimal above may do where the nearer
           one below does not */
        if (precision < 16 && decimal_step(text) && strtod(text, NULL) == value)
            break;
    }
    for (const char *p = text; *p != 'e'; p++)
        if (*p != '.')
            digits[n++] = *p;
    *exponent_out = atoi(strchr(text, 'e') + 1) + 1;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

/* ECMAScript Number::toString, which RFC 8785 section 3.2.2.3 points to. */
static void number_put(struct buf *out, double value)
{
    char digits[20];
    int exponent;

    if (value == 0 || !isfinite(value)) { /* minus zero is 0; what overflows a double has no canonical form */
        buf_put_byte(out, '0');
        return;
    }
    if (value < 0)
        buf_put_byte(out, '-');
    int n = shortest(fabs(value), digits, &exponent);
    if (exponent > 0 && exponent <= 21) {
        for (int i = 0; i < n || i < exponent; i++) {
            if (i == exponent)
                buf_put_byte(out, '.');
            buf_put_byte(out, i < n ? digits[i] : '0');
        }
    } else if (exponent <= 0 && exponent > -6) {
        buf_put(out, SLICE("0."));
        for (int i = exponent; i < 0; i++)
            buf_put_byte(out, '0');
        buf_put(out, slice_n(digits, (size_t)n));
    } else {
        buf_put_byte(out, digits[0]);
        if (n > 1)
            buf_put_byte(out, '.');
        buf_put(out, slice_n(digits + 1, (size_t)n - 1));
        buf_printf(out, "e%c%d", exponent > 0 ? '+' : '-', abs(exponent - 1));
    }
}

/* The UTF-16 code unit order of two UTF-8 strings is their byte order but for one thing: characters beyond U+FFFF
   (first byte f0 and up), whose surrogates are d800 to dfff, come before U+E000 to U+FFFF (first byte ee and ef). */
static int utf16_cmp(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len, i = 0;

    while (i < n && a.ptr[i] == b.ptr[i])
        i++;
    if (i == n)
        return a.len < b.len ? -1 : a.len > b.len;
    unsigned char x = (unsigned char)a.ptr[i], y = (unsigned char)b.ptr[i];
    if (x >= 0xee && y >= 0xee && (x >= 0xf0) != (y >= 0xf0))
        return x >= 0xf0 ? -1 : 1;
    return x < y ? -1 : 1;
}

struct member {
    struct slice key;
    struct json value;
};

static int member_cmp(const void *a, const void *b)
{
    return utf16_cmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void object_put(struct arena *a, struct buf *out, struct json object)
{
    size_t n = json_count(object), i = 0;
    struct member *members = arena_array(a, struct member, n + 1);

    json_each (v, object) {
        members[i++] = (struct member){json_key(a, v), v};
    }
    qsort(members, n, sizeof(*members), member_cmp);
    buf_put_byte(out, '{');
    for (i = 0; i < n; i++) {
        if (i != 0)
            buf_put_byte(out, ',');
        stix_canon_string(out, members[i].key);
        buf_put_byte(out, ':');
        stix_canon(a, out, members[i].value);
    }
    buf_put_byte(out, '}');
}

static void array_put(struct arena *a, struct buf *out, struct json array)
{
    bool first = true;

    buf_put_byte(out, '[');
    json_each (v, array) {
        if (!first)
            buf_put_byte(out, ',');
        first = false;
        stix_canon(a, out, v);
    }
    buf_put_byte(out, ']');
}

void stix_canon(struct arena *a, struct buf *out, struct json v)
{
    int64_t whole;

    switch (json_kind(v)) {
    case JSON_OBJECT:
        object_put(a, out, v);
        return;
    case JSON_ARRAY:
        array_put(a, out, v);
        return;
    case JSON_STRING:
        stix_canon_string(out, json_string(a, v));
        return;
    case JSON_NUMBER:
        if (json_int(v, &whole) && whole >= -MAX_EXACT && whole <= MAX_EXACT)
            buf_printf(out, "%" PRId64, whole);
        else
            number_put(out, strtod(arena_copy(a, json_raw(v)).ptr, NULL));
        return;
    default:
        buf_put(out, json_raw(v));
    }
}

int stix_canon_check(struct arena *a, struct json v, struct err *err)
{
    if (json_kind(v) == JSON_NUMBER && !isfinite(strtod(arena_copy(a, json_raw(v)).ptr, NULL)))
        return err_set_at(err, ERR_JSON_SYNTAX, json_pointer(a, v), "a number that no double holds");
    json_each (inner, v)
        if (stix_canon_check(a, inner, err) != 0)
            return -1;
    return 0;
}
