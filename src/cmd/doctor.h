/* cmd/doctor.h: the three questions of tocsin doctor. Each returns an exit status. */
#ifndef CMD_DOCTOR_H
#define CMD_DOCTOR_H

#include "cmd/admin.h"
#include "taxii/taxii.h"

int doctor_clients(struct arena *a, const struct options *o); /* --hub DIR [MEMBER] */
int doctor_product(struct arena *a, const struct options *o); /* --product NAME */
int doctor_server(struct arena *a, const struct options *o);  /* URL, or --as FILE */
/* What a configuration is made of; empty: a word stands in its place. No password: where it stands. */
struct doctor_target {
    struct slice url, root, collection, title, user, password_place;
};
/* The configuration to paste. false: no such product. */
bool doctor_product_put(struct slice product, const struct doctor_target *target, struct buf *out);
void doctor_product_names(struct buf *out);

#endif
