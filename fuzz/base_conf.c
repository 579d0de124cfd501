/* Bytes to conf_parse() with a field of every kind. */
#include <assert.h>

#include "base/conf.h"

struct settings {
    struct slice listen, certificate;
    int64_t workers, keep;
    bool verbose;
    uint64_t size;
    struct conf_list peers;
};

static const struct conf_field fields[] = {
    {"listen", CONF_TEXT, offsetof(struct settings, listen), "127.0.0.1:9000", "where", 0, 0},
    {"tls.certificate", CONF_TEXT, offsetof(struct settings, certificate), "", "which", 0, 0},
    {"tls.workers", CONF_INT, offsetof(struct settings, workers), "2", "how many", 1, 64},
    {"keep", CONF_DURATION, offsetof(struct settings, keep), "30d", "how long", 0, 0},
    {"verbose", CONF_BOOL, offsetof(struct settings, verbose), "false", "whether", 0, 0},
    {"size", CONF_SIZE, offsetof(struct settings, size), "10MiB", "how much", 1, 1 << 30},
    {"peers", CONF_LIST, offsetof(struct settings, peers), "", "who", 0, 0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a = ARENA_INIT;
    struct err err = ERR_INIT;
    struct settings s;

    if (conf_parse(&a, "input.yaml", slice_n((const char *)data, size), fields, sizeof fields / sizeof fields[0], &s,
                   &err) == 0)
        assert(s.workers >= 1 && s.workers <= 64);
    else
        assert(err.code != ERR_NONE && slice_starts(slice_of(err.place), SLICE("input.yaml")));
    arena_free(&a);
    return 0;
}
