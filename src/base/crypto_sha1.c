#include "base/crypto.h"

#include <assert.h>

#include <openssl/evp.h>

void crypto_sha1(struct slice in, uint8_t out[CRYPTO_SHA1])
{
    unsigned int n = 0;
    int good = EVP_Digest(in.ptr, in.len, out, &n, EVP_sha1(), NULL);

    assert(good == 1 && n == CRYPTO_SHA1);
}
