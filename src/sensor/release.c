#include "sensor/internal.h"

#include <stdlib.h>

#include "base/file.h"

static struct slice text_of(const void *owner, uint32_t value, uint8_t *tag_out)
{
    const struct released *r = owner;

    *tag_out = r->kinds[value];
    return r->items[value];
}

void released_close(struct released *r)
{
    map_close(&r->map);
    arena_free(&r->text);
    free(r->items);
    free(r->kinds);
    *r = (struct released){.n = 0};
}

bool value_kind_find(struct slice name, enum stix_value_kind *kind_out)
{
    for (int kind = 0; kind < STIX_VALUE_KINDS; kind++)
        if (slice_eq(stix_value_kind_name((enum stix_value_kind)kind), name)) {
            *kind_out = (enum stix_value_kind)kind;
            return true;
        }
    return false;
}

static void add(struct released *r, enum stix_value_kind kind, struct slice item)
{
    uint32_t known;

    if (map_find(&r->map, (uint8_t)kind, item, text_of, r, &known))
        return;
    if (r->n == r->room) {
        r->room = 2 * r->room + 64;
        r->items = mem_grow(r->items, r->room * sizeof *r->items);
        r->kinds = mem_grow(r->kinds, r->room);
    }
    r->items[r->n] = item;
    r->kinds[r->n] = (uint8_t)kind;
    map_put(&r->map, (uint8_t)kind, item, (uint32_t)r->n++);
}

int released_read(struct released *r, struct slice path, struct err *err)
{
    struct slice text, line, name;
    enum stix_value_kind kind;

    released_close(r);
    map_open(&r->map);
    const char *name_of_file = arena_copy(&r->text, path).ptr;
    if (path.len == 0 || !file_exists(name_of_file))
        return 0;
    if (file_read(&r->text, name_of_file, (size_t)1 << 30, &text, err) != 0)
        return -1;
    while (slice_cut(&text, '\n', &line))
        if (line.len != 0 && line.ptr[0] != '#' && slice_cut(&line, '\t', &name) && line.ptr != NULL &&
            value_kind_find(name, &kind))
            add(r, kind, line);
    return 0;
}

bool released_has(const struct released *r, enum stix_value_kind kind, struct slice value, struct slice source)
{
    struct arena a = ARENA_INIT;
    uint32_t found;

    if (r->n == 0)
        return false;
    struct slice item = arena_printf(&a, SLICE_FMT "\t" SLICE_FMT, SLICE_ARG(value), SLICE_ARG(source));
    bool result = map_find(&r->map, (uint8_t)kind, item, text_of, r, &found);
    arena_free(&a);
    return result;
}

int released_append(struct slice path, struct slice lines, struct err *err)
{
    struct arena a = ARENA_INIT;
    struct buf all = BUF_INIT;
    struct slice old = {NULL, 0};
    const char *name = arena_copy(&a, path).ptr;
    int result = file_exists(name) ? file_read(&a, name, (size_t)1 << 30, &old, err) : 0;

    if (result == 0) {
        if (old.len == 0)
            buf_put(
                &all,
                SLICE(
                    "# Released by the member: not blocked again until the line is taken out. kind, value, source\n"));
        buf_put(&all, old);
        buf_put(&all, lines);
        result = file_write_atomic(name, buf_slice(&all), 0644, err);
    }
    buf_free(&all);
    arena_free(&a);
    return result;
}
