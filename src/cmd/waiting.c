/* Interrupts that are asked about, and a line that says what is going on. */
#include "cmd/waiting.h"
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static bool shown;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

const volatile sig_atomic_t *waiting_watch_interrupts(void)
{
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    return &interrupted;
}

void waiting_show(const char *format, ...)
{
    CLEANUP(buffer_release) struct buffer line;
    char text[400];
    va_list arguments;
    buffer_init(&line, 4096);
    if (!isatty(STDERR_FILENO))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    buffer_append_string(&line, "\r\033[K");
    text_append_fitted(&line, text, (size_t)cmd_width(STDERR_FILENO) - 1);
    (void)file_write_all(STDERR_FILENO, line.data, line.size);
    shown = true;
}

void waiting_hide(void)
{
    if (shown)
        (void)file_write_all(STDERR_FILENO, "\r\033[K", 4);
    shown = false;
}
