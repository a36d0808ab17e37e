#include "python/layout.h"
#include "python/layout_private.h"

enum { FIRST_MINOR = 8 };

static const struct python_layout *const tables[] = {
    &python_layout_3_8, &python_layout_3_9, &python_layout_3_10, &python_layout_3_11, &python_layout_3_12};

static const struct python_object_layout *const object_tables[] = {&python_object_layout_3_8, &python_object_layout_3_9,
    &python_object_layout_3_10, &python_object_layout_3_11, &python_object_layout_3_12, &python_object_layout_3_13,
    &python_object_layout_3_14, &python_object_layout_3_15};

static const struct python_object_layout *const free_threaded_object_tables[] = {
    [14 - FIRST_MINOR] = &python_object_layout_3_14t, [15 - FIRST_MINOR] = &python_object_layout_3_15t};

static bool minor_index(uint16_t version, size_t count, size_t *ret_index)
{
    if (version >> 8 != 3 || (version & 0xff) < FIRST_MINOR)
        return false;
    size_t index = (size_t)(version & 0xff) - FIRST_MINOR;
    if (index >= count)
        return false;
    *ret_index = index;
    return true;
}

const struct python_layout *python_layout_table(uint16_t version)
{
    size_t index;
    return minor_index(version, ARRAY_SIZE(tables), &index) ? tables[index] : NULL;
}

const struct python_object_layout *python_object_layout(uint16_t version, bool free_threaded)
{
    size_t index;
    if (free_threaded)
        return minor_index(version, ARRAY_SIZE(free_threaded_object_tables), &index)
                   ? free_threaded_object_tables[index]
                   : NULL;
    return minor_index(version, ARRAY_SIZE(object_tables), &index) ? object_tables[index] : NULL;
}
