/* What `prove` reads from outside: the answer of a harness, python's words about its imports, /proc/stat, a command. */
#include "prove/experiment.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_release) struct arena arena;
    static const int cpus[] = {0, 3};
    struct prove_batches batches;
    struct error e;
    char file[256], **words, *text = calloc(1, size + 1);
    size_t count;
    bool shell;

    arena_init(&arena, 1 << 22);
    if (!text)
        return 0;
    memcpy(text, data, size);
    if (batches_parse(text, size, 0, &batches, &e) == 0)
        prove_batches_release(&batches);
    for (const char *at = text; imports_next(&at, text + size, file, sizeof(file));)
        if (file[0] != '/')
            abort();
    (void)machine_steal_parse(text, cpus, ARRAY_SIZE(cpus));
    (void)split_is_function(text);
    if (split_words(text, &arena, &words, &count, &shell, &e) == 0 && words[count] != NULL)
        abort();
    free(text);
    return 0;
}
