#include "json_peer.h"

#include <jansson.h>
#include <stdio.h>

void json_peer_put_string(struct buf *out, struct slice s)
{
    buf_printf(out, "s%zu:", s.len);
    buf_put(out, s);
}

void json_peer_put_real(struct buf *out, double value)
{
    buf_printf(out, "n%a;", value);
}

static void put(struct buf *out, json_t *v)
{
    const char *key;
    json_t *child;
    size_t i;

    switch (json_typeof(v)) {
    case JSON_STRING:
        json_peer_put_string(out, slice_n(json_string_value(v), json_string_length(v)));
        break;
    case JSON_REAL:
        json_peer_put_real(out, json_real_value(v));
        break;
    case JSON_ARRAY:
        buf_printf(out, "a%zu:", json_array_size(v));
        json_array_foreach(v, i, child) put(out, child);
        break;
    case JSON_OBJECT: /* in the order of the text */
        buf_printf(out, "o%zu:", json_object_size(v));
        json_object_foreach(v, key, child)
        {
            json_peer_put_string(out, slice_of(key)); /* no NUL in a key: jansson refuses it */
            put(out, child);
        }
        break;
    default:
        buf_put(out, json_is_true(v) ? SLICE("t") : json_is_false(v) ? SLICE("f") : SLICE("z"));
    }
}

bool json_peer_accepts(struct slice text, struct buf *values_out, char why_out[200])
{
    json_error_t error = {.text = ""};
    json_t *root =
        json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);

    if (why_out != NULL)
        snprintf(why_out, 200, "%s", error.text);
    if (root == NULL)
        return false;
    if (values_out != NULL)
        put(values_out, root);
    json_decref(root);
    return true;
}
