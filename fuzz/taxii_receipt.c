/* The body of a receipt: what a sensor or a partner hub posts. What is read can be written and read again, the same. */
#include <assert.h>
#include <stdlib.h>

#include "taxii/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice message_of(struct arena *a, const struct taxii_receipt *r)
{
    struct buf text = BUF_INIT;

    taxii_receipt_message(r, &text);
    struct slice copy = arena_copy(a, buf_slice(&text));
    buf_free(&text);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct taxii_receipt receipt, again;
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;

    if (taxii_receipt_read(&a, slice_n((const char *)data, size), &receipt, &err) == 0) {
        assert(taxii_is_follower(receipt.follower) && receipt.done <= receipt.of);
        taxii_receipt_put(&receipt, &text);
        int result = taxii_receipt_read(&a, buf_slice(&text), &again, &err);
        assert(result == 0 && slice_eq(message_of(&a, &receipt), message_of(&a, &again)));
    } else {
        assert(err.code != ERR_NONE && err.text[0] != '\0');
    }
    buf_free(&text);
    arena_free(&a);
    return 0;
}
