/* cmd/admin.h: what the commands that change a running hub share. */
#ifndef CMD_ADMIN_H
#define CMD_ADMIN_H

#include "base/json.h"
#include "cmd/options.h"

/* Sends {"do": what, "row": ROW} (row.ptr NULL: without) to the hub of --hub and prints the error, if any. Returns an
 * exit status. */
int admin_ask(struct arena *a, const struct options *o, const char *what, struct slice row, struct json *answer_out);
/* As JSON with --json, else the named members in columns. */
void admin_print(struct arena *a, const struct options *o, struct json rows, const char *const *columns, size_t n);
/* The whole of "list" and of "remove NAME". */
int admin_list(struct arena *a, const struct options *o, const char *what, const char *const *columns, size_t n);
int admin_remove(struct arena *a, const struct options *o, const char *what);
/* A list of texts as a member of a row. */
void admin_put_list(struct arena *a, const struct options *o, const char *option, const char *member, struct buf *row);
void admin_put_option(const struct options *o, const char *option, const char *member,
                      struct buf *row); /* where given */

/* The id of the collection that --collection names, or of the first one (none: empty). Returns an exit status. */
int admin_find_collection(struct arena *a, const struct options *o, struct slice *id_out);
void admin_put_line(struct buf *out, const char *name, struct slice value); /* of YAML: a JSON string is one */

struct admin_credential {
    struct slice user, password, root, collection, receipt_key; /* receipt_key: empty where there is none */
};
/* A key for a member's receipts: its seed for the client file, the public half for the row; both in hexadecimal. */
void admin_make_receipt_key(struct arena *a, struct slice *seed_out, struct slice *public_out);
void admin_make_password(struct arena *a, struct slice *password_out);
/* Writes a client file (mode 0600): where the hub of --hub is reached, its authority, and this credential. Returns an
 * exit status. */
int admin_write_client(struct arena *a, const struct options *o, const struct admin_credential *c, struct slice path);

#endif
