/* What a taken-over core could send to the keys process: any frame gets one answer, in bounds, and never ends the
 * process. */
#include <assert.h>

#include "keys/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A frame that was understood, written again by the client's functions, is the same frame. */
static void check_written_again(struct slice frame)
{
    struct keys_request r;
    struct buf again = BUF_INIT;

    if (!keys_request_parse(frame, &r))
        return;
    keys_request_begin(&again, r.op, r.kind);
    for (uint16_t i = 0; i < r.n; i++) {
        bool added = keys_request_add(&again, keys_item_next(&r.items));
        assert(added);
    }
    assert(slice_eq(buf_slice(&again), frame));
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keys_secrets secrets;
    static struct buf answer;
    struct slice frame = slice_n((const char *)data, size);

    if (answer.ptr == NULL) {
        crypto_start(NULL);
        keys_secrets_derive((const uint8_t[CRYPTO_KEY]){1}, &secrets);
    }
    keys_answer(&secrets, frame, &answer);
    assert(answer.len >= 1 && answer.len <= KEYS_FRAME && (unsigned char)answer.ptr[0] <= KEYS_REFUSED);
    check_written_again(frame);
    return 0;
}
