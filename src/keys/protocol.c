#include "keys/internal.h"

static void put_u32(struct buf *out, uint32_t value)
{
    for (int shift = 0; shift < 32; shift += 8)
        buf_put_byte(out, (char)(value >> shift & 0xff));
}

static uint32_t get_u32(struct slice s)
{
    const unsigned char *b = (const unsigned char *)s.ptr;

    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static uint16_t get_n(struct slice frame)
{
    return (uint16_t)((unsigned char)frame.ptr[2] | (unsigned char)frame.ptr[3] << 8);
}

void keys_request_begin(struct buf *frame, enum keys_op op, uint8_t kind)
{
    buf_clear(frame);
    buf_put(frame, slice_n((const char[]){(char)op, (char)kind, 0, 0}, KEYS_REQUEST_HEAD));
}

/* Also what comes back must fit in one frame. */
static bool answer_fits(enum keys_op op, uint16_t n)
{
    return 1 + n * keys_answer_size(op) <= KEYS_FRAME;
}

bool keys_request_add(struct buf *frame, struct slice item)
{
    uint16_t n = get_n(buf_slice(frame));

    if (item.len > KEYS_FRAME || frame->len + KEYS_ITEM_HEAD + item.len > KEYS_FRAME || n == KEYS_ITEMS_MAX ||
        !answer_fits((enum keys_op)frame->ptr[0], n + 1))
        return false;
    put_u32(frame, (uint32_t)item.len);
    buf_put(frame, item);
    n++;
    frame->ptr[2] = (char)(n & 0xff);
    frame->ptr[3] = (char)(n >> 8);
    return true;
}

enum keys_op keys_request_op(struct slice first_byte)
{
    unsigned op = first_byte.len != 0 ? (unsigned char)first_byte.ptr[0] : 0;

    return op >= KEYS_OP_MAC && op < KEYS_OP_END ? (enum keys_op)op : KEYS_OP_END;
}

size_t keys_answer_size(enum keys_op op)
{
    switch (op) {
    case KEYS_OP_MAC:
        return CRYPTO_MAC;
    case KEYS_OP_SIGN:
        return CRYPTO_SIGNATURE;
    default:
        return CRYPTO_KEY;
    }
}

/* Whether `items` is exactly n items, each whole. */
static bool items_are_whole(struct slice items, uint16_t n)
{
    for (; n != 0; n--) {
        if (items.len < KEYS_ITEM_HEAD)
            return false;
        uint32_t len = get_u32(items);
        items = slice_from(items, KEYS_ITEM_HEAD);
        if (len > items.len)
            return false;
        items = slice_from(items, len);
    }
    return items.len == 0;
}

bool keys_request_parse(struct slice frame, struct keys_request *out)
{
    if (frame.len < KEYS_REQUEST_HEAD || frame.len > KEYS_FRAME)
        return false;
    *out = (struct keys_request){keys_request_op(frame), (uint8_t)frame.ptr[1], get_n(frame),
                                 slice_from(frame, KEYS_REQUEST_HEAD)};
    return out->op != KEYS_OP_END && items_are_whole(out->items, out->n) && answer_fits(out->op, out->n);
}

struct slice keys_item_next(struct slice *items)
{
    struct slice item = slice_to(slice_from(*items, KEYS_ITEM_HEAD), get_u32(*items));

    *items = slice_from(*items, KEYS_ITEM_HEAD + item.len);
    return item;
}

/* C2SP signed-note: text without control characters but the newline. */
static bool is_note(struct slice message)
{
    for (size_t i = 0; i < message.len; i++)
        if (((unsigned char)message.ptr[i] < 0x20 && message.ptr[i] != '\n') || message.ptr[i] == 0x7f)
            return false;
    return message.len != 0;
}

bool keys_signed_bytes(enum keys_sign kind, struct slice message, struct buf *out)
{
    switch (kind) {
    case KEYS_SIGN_HEAD:
        buf_put(out, message);
        return is_note(message);
    case KEYS_SIGN_EVENT:
    case KEYS_SIGN_RECEIPT:
        buf_put(out, kind == KEYS_SIGN_EVENT ? SLICE("\0tocsin event 1\0") : SLICE("\0tocsin receipt 1\0"));
        buf_put(out, message);
        return message.len == CRYPTO_HASH;
    }
    return false;
}
