#include "test.h"

#include "sensor/internal.h"

enum { N = 5000 };

struct owner {
    char text[N][16];
    uint8_t tag[N];
};

static struct slice text_of(const void *owner, uint32_t value, uint8_t *tag_out)
{
    const struct owner *o = owner;

    *tag_out = o->tag[value];
    return slice_of(o->text[value]);
}

static void test_sensor_map__put_find_remove(void **state)
{
    static struct owner o;
    struct map m;
    uint32_t value;

    map_open(&m);
    assert_false(map_find(&m, 1, SLICE("x"), text_of, &o, &value));
    map_remove(&m, 1, SLICE("x"), text_of, &o);
    for (uint32_t i = 0; i < N; i++) {
        snprintf(o.text[i], sizeof o.text[i], "text %u", i / 2); /* each text under two tags */
        o.tag[i] = (uint8_t)(i % 2);
        map_put(&m, o.tag[i], slice_of(o.text[i]), i);
    }
    for (uint32_t i = 0; i < N; i += 3)
        map_remove(&m, o.tag[i], slice_of(o.text[i]), text_of, &o);
    for (uint32_t i = 0; i < N; i++) {
        bool found = map_find(&m, o.tag[i], slice_of(o.text[i]), text_of, &o, &value);
        if (found != (i % 3 != 0) || (found && value != i))
            fail_row(i, "%s", found ? "found" : "not found");
    }
    /* Coming and going needs no more room than there is. */
    size_t slots = m.n_slots;
    for (uint32_t i = 0; i < 100 * N; i++) {
        map_put(&m, 0, SLICE("text 0"), 0);
        map_remove(&m, 0, SLICE("text 0"), text_of, &o);
    }
    assert_true(m.n_slots <= slots);
    map_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sensor_map__put_find_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
