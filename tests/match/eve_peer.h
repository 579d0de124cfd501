/* tests/match/eve_peer.h: the values of one EVE line as jansson reads them. Its names are those of base/json.h, so it
 * is kept apart. */
#ifndef TESTS_MATCH_EVE_PEER_H
#define TESTS_MATCH_EVE_PEER_H

#include <stdbool.h>
#include <stddef.h>

enum { EVE_PEER_FIELDS = 6, EVE_PEER_TEXT = 300 };

bool eve_peer(const char *line, size_t len, char values_out[EVE_PEER_FIELDS][EVE_PEER_TEXT]); /* empty: not there */

#endif
