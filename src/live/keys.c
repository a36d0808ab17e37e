/* The one table of keys: what they do, and the help that says so. */
#include "live/inside.h"

#include <curses.h>

#define CONTROL(letter) ((letter)&0x1f)
#define ESCAPE 27

const struct key keys[] = {
    {{'1'}, ACTION_FUNCTIONS, "1", "functions by self and total time"},
    {{'2'}, ACTION_THREADS, "2", "threads: what each is doing now"},
    {{'3'}, ACTION_PROCESSES, "3", "processes"},
    {{'4'}, ACTION_LINES, "4", "the hottest lines"},
    {{'t'}, ACTION_TASKS, "t", "asyncio tasks: what each awaits, and its time"},
    {{'5'}, ACTION_FLAME, "5", "flame graph, outermost functions on top"},
    {{'6'}, ACTION_SOURCE, "6", "source of the chosen function, with its heat"},
    {{'o'}, ACTION_OUTPUT, "o", "the program's output"},
    {{'\t'}, ACTION_NEXT_VIEW, "Tab", "the next view"},
    {{KEY_BTAB}, ACTION_PREVIOUS_VIEW, "Shift-Tab", "the view before"},
    {{KEY_UP, 'k'}, ACTION_UP, "Up k", "one up; in the flame graph, to the caller"},
    {{KEY_DOWN, 'j'}, ACTION_DOWN, "Down j", "one down; in the flame graph, to the widest callee"},
    {{KEY_LEFT}, ACTION_LEFT, "Left", "in the flame graph, to the box on the left"},
    {{KEY_RIGHT}, ACTION_RIGHT, "Right", "in the flame graph, to the box on the right"},
    {{KEY_PPAGE}, ACTION_PAGE_UP, "PgUp", "a page up"},
    {{KEY_NPAGE}, ACTION_PAGE_DOWN, "PgDn", "a page down"},
    {{KEY_HOME, 'g'}, ACTION_FIRST, "Home g", "to the first row"},
    {{KEY_END, 'G'}, ACTION_LAST, "End G", "to the last row"},
    {{'\r', '\n', KEY_ENTER}, ACTION_OPEN, "Enter",
        "open: a function's source, only this thread or process, zoom of the flame graph"},
    {{ESCAPE, KEY_BACKSPACE, 127}, ACTION_BACK, "Esc Backspace", "back: zoom out, leave the source, drop the filter"},
    {{' '}, ACTION_PAUSE, "Space", "hold the display still; the recording goes on"},
    {{'/'}, ACTION_FILTER, "/", "filter by a regular expression on function, file, thread"},
    {{'<', ','}, ACTION_SORT_LEFT, "<", "sort by the column before"},
    {{'>', '.'}, ACTION_SORT_RIGHT, ">", "sort by the next column"},
    {{'m'}, ACTION_MODE, "m", "count all samples, those on a CPU, those that held the GIL"},
    {{'w'}, ACTION_WINDOW, "w", "since the start, or the last 10 seconds"},
    {{'a'}, ACTION_ALL, "a", "all threads and processes again"},
    {{'s'}, ACTION_SAVE, "s", "save the recording so far"},
    {{CONTROL('l')}, ACTION_REDRAW, "Ctrl-L", "draw the screen anew"},
    {{'?', 'h', KEY_F(1)}, ACTION_HELP, "? h F1", "this help"},
    {{'q', KEY_F(10)}, ACTION_QUIT, "q F10", "quit; a program that top started is ended"},
};
const size_t key_count = ARRAY_SIZE(keys);

enum action key_action(int code)
{
    for (size_t i = 0; i < key_count && code > 0; i++)
        for (size_t k = 0; k < ARRAY_SIZE(keys[i].codes); k++)
            if (keys[i].codes[k] == code)
                return keys[i].action;
    return ACTION_NONE;
}
