/* stix/rows.h: how the rows of the types table are written. Private to the types_*.c files. */
#ifndef STIX_ROWS_H
#define STIX_ROWS_H

#include "stix/rules.h"
#include "stix/shapes.h"
#include "stix/types.h"
#include "stix/words.h"

#define REQ  PROP_REQUIRED
#define LIST PROP_LIST

#define PROP(text, k, f)                                                                                               \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = PROP_##k, .flags = (f)                                                       \
    }
#define PROP_IN(text, k, f, from, to)                                                                                  \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = PROP_##k, .flags = (f), .min = (from), .max = (to)                           \
    }
#define PROP_OF(text, f, bits)                                                                                         \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = PROP_REF, .flags = (f), .types = (bits)                                      \
    }
#define PROP_OUT_OF(text, k, f, list)                                                                                  \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = PROP_##k, .flags = (f), .words = &words_##list                               \
    }
#define PROP_IS(text, f, of)                                                                                           \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = PROP_SHAPE, .flags = (f), .shape = &shape_##of                               \
    }
#define PROP_OBSERVED(text, as)                                                                                        \
    {                                                                                                                  \
        .name = SLICE_INIT(text), .kind = PROP_VALUE, .flags = REQ, .value = STIX_VALUE_##as                           \
    }

#define ROWS_OF(array) .props = (array), .n = sizeof(array) / sizeof((array)[0])

#define NO_MAX 9223372036854775807.0

#endif
