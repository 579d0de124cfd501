/* The column `numbers` of the journal: ten numbers of 8 bytes, little endian, and the body's SHA-256.

     0 added_us        16 version_us      32 first_event_us    48 key            64 envelope                    80
   sha256 8 created_us      24 source_us       40 valid_until_us    56 subject_seq    72 class * 256 + kind

   That of the brief table: six of 8 bytes.

     0 key             8 subject_seq      16 source_us         24 valid_until_us    32 id_hash        40 class
*/
#include <endian.h>

#include "store/internal.h"

void store_row_put_numbers(const struct store_row *row, char out[STORE_NUMBERS])
{
    uint64_t n[] = {(uint64_t)row->added_us,
                    (uint64_t)row->created_us,
                    (uint64_t)row->version_us,
                    (uint64_t)row->source_us,
                    (uint64_t)row->first_event_us,
                    (uint64_t)row->valid_until_us,
                    row->key,
                    row->subject_seq,
                    row->envelope,
                    (uint64_t)row->facts_class << 8 | (uint64_t)row->kind};

    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        n[i] = htole64(n[i]);
    memcpy(out, n, sizeof n);
    memcpy(out + sizeof n, row->sha256, sizeof row->sha256);
}

bool store_row_get_numbers(struct slice numbers, struct store_row *row)
{
    uint64_t n[10];

    if (numbers.len != STORE_NUMBERS)
        return false;
    memcpy(n, numbers.ptr, sizeof n);
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        n[i] = le64toh(n[i]);
    row->added_us = (int64_t)n[0];
    row->created_us = (int64_t)n[1];
    row->version_us = (int64_t)n[2];
    row->source_us = (int64_t)n[3];
    row->first_event_us = (int64_t)n[4];
    row->valid_until_us = (int64_t)n[5];
    row->key = n[6];
    row->subject_seq = n[7];
    row->envelope = n[8];
    row->facts_class = (uint32_t)(n[9] >> 8);
    row->kind = (enum store_kind)(n[9] & 0xff);
    memcpy(row->sha256, numbers.ptr + sizeof n, sizeof row->sha256);
    return true;
}

void store_brief_put_numbers(const struct store_brief *b, char out[STORE_BRIEF_NUMBERS])
{
    const uint64_t n[] = {htole64(b->key),
                          htole64(b->subject_seq),
                          htole64((uint64_t)b->source_us),
                          htole64((uint64_t)b->valid_until_us),
                          htole64(b->id_hash),
                          htole64(b->facts_class)};

    memcpy(out, n, sizeof n);
}

bool store_brief_get_numbers(struct slice numbers, struct store_brief *b)
{
    uint64_t n[6];

    if (numbers.len != STORE_BRIEF_NUMBERS)
        return false;
    memcpy(n, numbers.ptr, sizeof n);
    b->key = le64toh(n[0]);
    b->subject_seq = le64toh(n[1]);
    b->source_us = (int64_t)le64toh(n[2]);
    b->valid_until_us = (int64_t)le64toh(n[3]);
    b->id_hash = le64toh(n[4]);
    b->facts_class = (uint32_t)le64toh(n[5]);
    return true;
}
