/* hub/families.c: who counts as one voice: members of one organisation, and registered clients with the members whose
   clients they are (one provider's feed comes in through all of them). */
#include <stdlib.h>

#include "hub/edges.h"

static uint64_t hash_of(struct slice text)
{
    return hub_row_key(SLICE("family"), text, SLICE(""), SLICE(""));
}

static uint32_t root_of(uint32_t *parents, uint32_t i)
{
    while (parents[i] != i)
        i = parents[i] = parents[parents[i]];
    return i;
}

static void join(uint32_t *parents, uint32_t a, uint32_t b)
{
    parents[root_of(parents, a)] = root_of(parents, b);
}

struct named {
    uint64_t hash;
    uint32_t member;
};

static int by_hash(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : 0;
}

static int by_owner(const void *a, const void *b)
{
    const struct hub_family *x = a, *y = b;

    return x->owner != y->owner ? (x->owner < y->owner ? -1 : 1) : 0;
}

static void join_organisations(const struct hub_directory *d, uint32_t *parents)
{
    struct named *names = mem_zero(d->n_members, sizeof *names);

    for (uint32_t i = 0; i < d->n_members; i++) {
        const struct hub_member *m = &d->members[i];
        names[i] = (struct named){hash_of(m->organisation.len != 0 ? m->organisation : m->name), i};
    }
    if (d->n_members > 1)
        qsort(names, d->n_members, sizeof *names, by_hash);
    for (uint32_t i = 1; i < d->n_members; i++)
        if (names[i].hash == names[i - 1].hash)
            join(parents, names[i].member, names[i - 1].member);
    free(names);
}

static void join_clients(const struct hub_directory *d, uint32_t *parents)
{
    for (uint32_t i = 0; i < d->n_members; i++)
        for (size_t k = 0; k < d->members[i].n_client_of; k++) {
            const struct hub_member *m = hub_directory_member(d, d->members[i].client_of[k]);
            if (m != NULL)
                join(parents, i, (uint32_t)(m - d->members));
        }
}

void hub_families_learn(struct hub *h, struct hub_families *f)
{
    struct hub_directory *d = hub_directory_hold(h);

    if (f->of != d || f->epoch != d->epoch) {
        uint32_t *parents = mem_zero(d->n_members, sizeof *parents);
        hub_families_free(f);
        *f = (struct hub_families){d, d->epoch, mem_zero(d->n_members, sizeof *f->items), d->n_members};
        for (uint32_t i = 0; i < d->n_members; i++)
            parents[i] = i;
        join_organisations(d, parents);
        join_clients(d, parents);
        for (uint32_t i = 0; i < d->n_members; i++)
            f->items[i] = (struct hub_family){d->members[i].owner, hash_of(d->members[root_of(parents, i)].name)};
        if (f->n > 1)
            qsort(f->items, f->n, sizeof *f->items, by_owner);
        free(parents);
    }
    hub_directory_drop(&d);
}

void hub_families_free(struct hub_families *f)
{
    free(f->items);
    *f = (struct hub_families){.n = 0};
}

uint64_t hub_family_of(const struct hub_families *f, uint64_t who, struct slice origin)
{
    const struct hub_family one = {.owner = who};

    if (who == HUB_WHO_OPEN_SOURCE)
        return who;
    if (origin.len != 0)
        return hub_row_key(SLICE("hub"), origin, SLICE(""), SLICE(""));
    const struct hub_family *found = f->n != 0 ? bsearch(&one, f->items, f->n, sizeof *f->items, by_owner) : NULL;
    return found != NULL ? found->family : who; /* who left is a family of its own */
}
