/* tests/base/json_peer.h: jansson behind a wall, since its names and ours are alike. For the tests that compare and for
   the benchmark. */
#ifndef TESTS_BASE_JSON_PEER_H
#define TESTS_BASE_JSON_PEER_H

#include "base/buf.h"

/* Whether jansson accepts the text, duplicate keys refused and any value as root. `values_out` (may be NULL) gets what
   it read, in the form of json_peer_put_*(). `why_out` (may be NULL) gets jansson's sentence when it refuses. */
bool json_peer_accepts(struct slice text, struct buf *values_out, char why_out[200]);

/* One value read, in a form in which equal values are equal bytes. */
void json_peer_put_string(struct buf *out, struct slice s);
void json_peer_put_real(struct buf *out, double value);

#endif
