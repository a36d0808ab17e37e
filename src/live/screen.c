/* The terminal: taken, put back whatever happens, and text in its cells. */
#include "live/inside.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

volatile sig_atomic_t screen_signal, screen_resized, screen_stopped;

static struct {
    SCREEN *terminal;
    struct termios before;
    char restore[256]; /* what puts the screen back, made beforehand: a crashed program may call write only */
    size_t restore_size;
    bool utf8, colour;
    struct buffer text;
    struct sigaction old[NSIG];
} screen;

static const int ends[] = {SIGTERM, SIGHUP, SIGINT}, crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

/* Async-signal-safe. */
static void put_back_now(void)
{
    (void)!write(STDOUT_FILENO, screen.restore, screen.restore_size);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
}

static void die_of(int number)
{
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void on_end(int number)
{
    /* The second one finds a program that does not come to look at the first: the terminal may block it. */
    if (screen_signal != 0) {
        sigset_t one;
        put_back_now();
        sigemptyset(&one);
        sigaddset(&one, number);
        (void)signal(number, SIG_DFL);
        (void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
        (void)raise(number);
    }
    screen_signal = number;
}

static void on_crash(int number)
{
    put_back_now();
    die_of(number);
}

static void on_resize(int number)
{
    (void)number;
    screen_resized = 1;
}

static void on_stop(int number)
{
    (void)number;
    screen_stopped = 1;
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    (void)sigaction(number, &action, &screen.old[number]);
}

static void signals_set(void)
{
    static char stack[65536]; /* a crash may be for want of stack */
    stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    (void)sigaltstack(&other, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        handle(ends[i], on_end, 0);
    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
        handle(crashes[i], on_crash, (int)(SA_ONSTACK | SA_RESETHAND));
    handle(SIGWINCH, on_resize, 0);
    handle(SIGTSTP, on_stop, 0);
    handle(SIGPIPE, SIG_IGN, 0);
}

static void signals_reset(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        (void)sigaction(ends[i], &screen.old[ends[i]], NULL);
    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
        (void)sigaction(crashes[i], &screen.old[crashes[i]], NULL);
    static const int others[] = {SIGWINCH, SIGTSTP, SIGPIPE};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        (void)sigaction(others[i], &screen.old[others[i]], NULL);
}

static void restore_add(const char *capability)
{
    const char *text = tigetstr(capability);
    if (text == NULL || text == (const char *)-1) /* -1: not a string capability */
        return;
    size_t size = strlen(text);
    if (screen.restore_size + size < sizeof(screen.restore)) {
        memcpy(screen.restore + screen.restore_size, text, size);
        screen.restore_size += size;
    }
}

static void colours_set(void)
{
    const char *no_color = getenv("NO_COLOR");
    static const short flame_256[FLAME_SHADES] = {221, 215, 214, 208, 209, 203};
    static const short flame_8[FLAME_SHADES] = {
        COLOR_YELLOW, COLOR_RED, COLOR_YELLOW, COLOR_MAGENTA, COLOR_YELLOW, COLOR_RED};
    if ((no_color != NULL && *no_color != '\0') || !has_colors() || start_color() == ERR || COLOR_PAIRS < 16)
        return;
    short ground = use_default_colors() == OK ? -1 : COLOR_BLACK;
    init_pair(STYLE_BAR, COLOR_BLACK, COLOR_CYAN);
    init_pair(STYLE_HEAD, COLOR_CYAN, ground);
    init_pair(STYLE_CHOSEN, COLOR_BLACK, COLOR_GREEN);
    init_pair(STYLE_HOT, COLOR_RED, ground);
    init_pair(STYLE_WARM, COLOR_YELLOW, ground);
    init_pair(STYLE_GOOD, COLOR_GREEN, ground);
    init_pair(STYLE_ALERT, COLOR_RED, ground);
    for (short i = 0; i < FLAME_SHADES; i++)
        init_pair((short)(STYLE_FLAME + i), COLOR_BLACK, COLORS >= 256 ? flame_256[i] : flame_8[i]);
    screen.colour = true;
}

int screen_open(struct error *e)
{
    if (tcgetattr(STDIN_FILENO, &screen.before) < 0)
        return error_set(e, errno, "cannot use the terminal: %s", strerror(errno));
    setlocale(LC_CTYPE, "");
    screen.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    screen_signal = screen_resized = screen_stopped = 0;
    signals_set(); /* first: curses leaves handlers alone that are there */
    use_env(TRUE);
    use_tioctl(TRUE); /* the terminal's size before $COLUMNS */
    screen.terminal = newterm(NULL, stdout, stdin);
    if (screen.terminal == NULL) {
        signals_reset();
        return error_set(e, ENOTTY, "cannot use this terminal: TERM is '%s'", getenv("TERM"));
    }
    screen.restore_size = 0;
    restore_add("sgr0");
    restore_add("rmkx");
    restore_add("rmcup");
    restore_add("cnorm");
    buffer_init(&screen.text, 1 << 16);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(50);
    /* Some terminals keep sending these when told to send the others. */
    define_key("\033[A", KEY_UP);
    define_key("\033[B", KEY_DOWN);
    define_key("\033[C", KEY_RIGHT);
    define_key("\033[D", KEY_LEFT);
    curs_set(0);
    colours_set();
    return 0;
}

void screen_close(void)
{
    if (screen.terminal == NULL)
        return;
    curs_set(1);
    endwin();
    delscreen(screen.terminal);
    screen.terminal = NULL;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
    buffer_release(&screen.text);
    signals_reset();
}

void screen_suspend(void)
{
    screen_stopped = 0;
    curs_set(1);
    endwin();
    (void)signal(SIGTSTP, SIG_DFL);
    (void)raise(SIGTSTP);
    struct sigaction action = {.sa_handler = on_stop};
    (void)sigaction(SIGTSTP, &action, NULL);
    curs_set(0);
    screen_resize();
}

void screen_size(int *ret_rows, int *ret_columns)
{
    getmaxyx(stdscr, *ret_rows, *ret_columns);
}

void screen_resize(void)
{
    struct winsize size;
    screen_resized = 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
    screen_repaint();
}

void screen_erase(void)
{
    erase();
}

void screen_repaint(void)
{
    clearok(curscr, TRUE);
}

uint64_t screen_show(void)
{
    uint64_t began = clock_monotonic_ns();
    refresh();
    return clock_monotonic_ns() - began;
}

bool screen_coloured(void)
{
    return screen.colour;
}

static attr_t look(unsigned style)
{
    unsigned plain = style & ~STYLE_MATCH;
    attr_t look = (style & STYLE_MATCH) != 0 ? A_BOLD | A_UNDERLINE : 0;
    switch (plain) {
    case STYLE_PLAIN:
        return look;
    case STYLE_FAINT:
        return look | A_DIM;
    case STYLE_SELECTED:
        return look | A_REVERSE;
    case STYLE_HOT:
    case STYLE_ALERT:
        look |= A_BOLD;
        break;
    case STYLE_BAR:
    case STYLE_CHOSEN:
        look |= screen.colour ? 0 : A_REVERSE;
        break;
    case STYLE_HEAD:
        look |= A_BOLD;
        break;
    default:
        /* Without colours neighbours differ by being reversed or not. */
        if (plain >= STYLE_FLAME && !screen.colour)
            look |= (plain - STYLE_FLAME) % 2 == 0 ? A_REVERSE : A_REVERSE | A_DIM;
        break;
    }
    return screen.colour ? look | (attr_t)COLOR_PAIR((int)plain) : look;
}

/* Where the terminal has no UTF-8, a character outside ASCII is one '?'. */
static void to_ascii(struct buffer *b)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->size; i++) {
        uint8_t byte = b->data[i];
        if (byte >= 0x80 && byte < 0xc0)
            continue;
        b->data[kept++] = byte < 0x80 ? byte : '?';
    }
    b->size = kept;
}

void screen_text(int row, int column, int width, unsigned style, const char *text)
{
    int rows, columns;
    screen_size(&rows, &columns);
    if (row < 0 || row >= rows || column < 0 || column >= columns)
        return;
    width = width > columns - column ? columns - column : width;
    if (width <= 0)
        return;
    buffer_clear(&screen.text);
    text_append_fitted(&screen.text, text, (size_t)width);
    if (screen.text.failed) {
        buffer_clear(&screen.text);
        buffer_append_byte(&screen.text, '?');
    }
    if (!screen.utf8)
        to_ascii(&screen.text);
    size_t used = text_width((const char *)screen.text.data, screen.text.size);
    while (used++ < (size_t)width)
        buffer_append_byte(&screen.text, ' ');
    attrset((int)look(style));
    mvaddstr(row, column, buffer_text(&screen.text));
    attrset(A_NORMAL);
}

void screen_format(int row, int column, int width, unsigned style, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    screen_text(row, column, width, style, text);
}

void screen_bar(int row, int column, int width, unsigned style, double value)
{
    static const char *const parts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    char text[256] = "";
    size_t used = 0;
    int eighths = (int)(value * width * 8 + 0.5);
    for (int i = 0; i < width && used + 4 < sizeof(text); i++) {
        int part = eighths - 8 * i;
        part = part < 0 ? 0 : part > 8 ? 8 : part;
        const char *cell = screen.utf8 ? parts[part] : part >= 4 ? "#" : " ";
        memcpy(text + used, cell, strlen(cell) + 1);
        used += strlen(cell);
    }
    screen_text(row, column, width, style, text);
}

void screen_spark(int row, int column, const uint8_t *levels, int count)
{
    static const char *const parts[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char plain[] = " _.-=+*##";
    char text[SPARK_SECONDS * 3 + 1] = "";
    size_t used = 0;
    for (int i = 0; i < count && i < SPARK_SECONDS; i++) {
        int level = levels[i] > 8 ? 8 : levels[i];
        const char one[2] = {plain[level], '\0'}, *cell = screen.utf8 ? parts[level] : one;
        memcpy(text + used, cell, strlen(cell) + 1);
        used += strlen(cell);
    }
    screen_text(row, column, count, STYLE_GOOD, text);
}

int screen_key(char text[8])
{
    wint_t key;
    text[0] = '\0';
    int kind = get_wch(&key);
    if (kind == ERR)
        return -1;
    if (kind == KEY_CODE_YES)
        return key > 0xff ? (int)key : -1;
    char bytes[16];
    mbstate_t state = {0};
    size_t size = wcrtomb(bytes, (wchar_t)key, &state);
    if (size > 0 && size < 8) {
        memcpy(text, bytes, size);
        text[size] = '\0';
    }
    /* A character's code may be that of a key: only ASCII is one. */
    return key < 0x80 ? (int)key : 0x110000;
}
