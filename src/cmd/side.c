/* A revision made ready to be measured. */
#include "cmd/side.h"

#include <errno.h>

int side_open(struct prove_runner *r, const char *revision, const char *setup, struct side *ret, struct error *e)
{
    struct side s = {.checkout = NULL};
    int result = revision == NULL ? 0 : prove_checkout_new(r, revision, &s.checkout, e);
    if (result == 0 && setup != NULL && s.checkout != NULL)
        result = prove_checkout_setup(r, s.checkout, setup, e);
    if (result < 0)
        side_close(&s);
    else
        *ret = s;
    return result;
}

void side_close(struct side *s)
{
    prove_checkout_free(s->checkout);
    s->checkout = NULL;
}

const char *side_folder(const struct side *s)
{
    return s->checkout == NULL ? NULL : s->checkout->folder;
}

int side_subject(struct prove_runner *r, const struct side *s, const struct side_task *task, uint64_t timeout_ns,
    struct prove_subject **ret, struct error *e)
{
    struct prove_subject_options options = {.python = task->python, .setup = task->setup, .args = task->args};
    struct prove_subject *subject = NULL;
    if (s->checkout != NULL) {
        options.folder = s->checkout->folder;
        options.environment = (const char *const *)s->checkout->environment;
    }
    int result = task->argv != NULL ? prove_subject_new_command(task->argv, &options, &subject, e)
                                    : prove_subject_new(task->text, &options, &subject, e);
    if (result == 0)
        result = prove_subject_resolve(r, subject, e);
    if (result == 0 && s->checkout != NULL)
        result = prove_checkout_probe(r, s->checkout, subject, timeout_ns, e);
    if (result < 0)
        prove_subject_free(subject);
    else
        *ret = subject;
    return result;
}
