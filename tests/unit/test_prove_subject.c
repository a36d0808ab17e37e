/* What the user wrote becomes what is run; what comes back is not trusted. */
#include "prove/inside.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- splitting: the words are what /bin/sh makes of the same text ---- */

static void splits_as_a_shell_does(void **state)
{
    static const struct {
        const char *text, *words[6];
    } cases[] = {
        {"python app.py", {"python", "app.py"}},
        {"  python\t app.py  ", {"python", "app.py"}},
        {"python -c 'print(1); x = \"$HOME\"'", {"python", "-c", "print(1); x = \"$HOME\""}},
        {"python \"two words.py\" ''", {"python", "two words.py", ""}},
        {"a\\ b c\\'d", {"a b", "c'd"}},
        {"a 'b'\"c\"d", {"a", "bcd"}},
        {"a \"q\\\"q\" \"n\\n\"", {"a", "q\"q", "n\\n"}},
        {"a --x=1 b~ c#", {"a", "--x=1", "b~", "c#"}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_release) struct arena arena;
        struct error e = {""};
        char **words;
        size_t count;
        bool shell;
        arena_init(&arena, 1 << 20);
        assert_int_equal(split_words(cases[i].text, &arena, &words, &count, &shell, &e), 0);
        assert_false(shell);
        for (size_t k = 0; k < count; k++)
            assert_string_equal(words[k], cases[i].words[k]);
        assert_null(words[count]);
        assert_null(cases[i].words[count]);
    }
}

static void leaves_to_a_shell_what_only_it_understands(void **state)
{
    static const char *const texts[] = {"a | b", "a && b", "a > b", "a $X", "a \"$X\"", "X=1 a", "a *.py", "a; b",
        "a `b`", "(a)", "a ~/b", "a # b", "for i in 1 2; do a; done", "{ a; }", "! a", "a\nb"};
    static const char *const plain[] = {"a '$X'", "a \\$X", "a 'b|c'", "a x=1", "a b#c"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts) + ARRAY_SIZE(plain); i++) {
        struct prove_subject *s;
        struct error e = {""};
        bool shell = i < ARRAY_SIZE(texts);
        const char *text = shell ? texts[i] : plain[i - ARRAY_SIZE(texts)];
        assert_int_equal(prove_subject_new(text, NULL, &s, &e), 0);
        if (s->shell != shell)
            fail_msg("%s", text);
        if (shell) {
            assert_string_equal(s->argv[0], "sh");
            assert_string_equal(s->argv[2], text);
        }
        prove_subject_free(s);
    }
}

static void refuses_an_open_quote_and_nothing(void **state)
{
    struct prove_subject *s;
    struct error e;
    (void)state;
    assert_int_equal(prove_subject_new("python 'a.py", NULL, &s, &e), -EINVAL);
    assert_string_equal(e.text, "in 'python 'a.py': a single quote is not closed");
    assert_int_equal(prove_subject_new(" \t", NULL, &s, &e), -EINVAL);
}

static void knows_functions(void **state)
{
    static const char *const yes[] = {"m:f", "a.b.c:D.e", "x.py:f", "/tmp/a b/x.py:f", "./x.py:K.f", "m\xc3\xa9:f"};
    static const char *const no[] = {"m", "m:f(1)", "a b:c", "http://x:80", "m:", ":f", "m:1f", "m..n:f", "c:/x/y.py"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
        assert_true(split_is_function(yes[i]));
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        assert_false(split_is_function(no[i]));
}

static void puts_a_python_before_a_script(void **state)
{
    struct prove_subject_options o = {.python = "/x/python3.9"};
    struct prove_subject *s;
    struct error e;
    (void)state;
    assert_int_equal(prove_subject_new("app.py --fast", &o, &s, &e), 0);
    assert_string_equal(s->argv[0], "/x/python3.9");
    assert_string_equal(s->argv[1], "app.py");
    assert_string_equal(s->argv[2], "--fast");
    assert_null(s->argv[3]);
    prove_subject_free(s);
}

/* ---- answers ---- */

static void reads_batches(void **state)
{
    static const char text[] = "{\"ready\": 12.5, \"loops\": 100, \"wall\": [1e-3, 2e-3], \"cpu\": [1e-3, 1.5e-3],"
                               "\"value\": \"[1]\", \"value_hash\": \"ff\"}";
    struct prove_batches b;
    struct error e;
    (void)state;
    assert_int_equal(batches_parse(text, sizeof(text) - 1, UINT64_C(12000000000), &b, &e), 0);
    assert_int_equal(b.loops, 100);
    assert_int_equal(b.start, 500000000);
    assert_int_equal(b.count, 2);
    assert_true(b.wall[1] == 2e-3 && b.cpu[1] == 1.5e-3);
    assert_string_equal(b.value, "[1]");
    assert_int_equal(b.value_hash, 255);
    prove_batches_release(&b);
}

static void refuses_what_is_no_answer(void **state)
{
    static const char *const texts[] = {"", "x", "[]", "{}", "{\"ready\":1,\"loops\":1,\"wall\":[1],\"cpu\":[]}",
        "{\"ready\":1,\"loops\":0,\"wall\":[1],\"cpu\":[1]}", "{\"ready\":1,\"loops\":1,\"wall\":[-1],\"cpu\":[1]}",
        "{\"ready\":1e300,\"loops\":1,\"wall\":[1],\"cpu\":[1]}", "{\"ready\":1,\"loops\":1,\"wall\":[],\"cpu\":[]}"};
    struct prove_batches b;
    struct error e;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_true(batches_parse(texts[i], strlen(texts[i]), 0, &b, &e) < 0);
    const char *told = "{\"error\": \"no-module\", \"text\": \"there is no module x\"}";
    assert_int_equal(batches_parse(told, strlen(told), 0, &b, &e), -EINVAL);
    assert_string_equal(e.text, "there is no module x");
}

/* ---- where modules come from: lines that CPython 3.8, 3.11 and 3.13 wrote ---- */

static void finds_the_files_of_imports(void **state)
{
    static const char text[] = "import 'zipimport' # <class '_frozen_importlib.FrozenImporter'>\n"
                               "# /usr/lib/python3.8/__pycache__/os.cpython-38.pyc matches /usr/lib/python3.8/os.py\n"
                               "# code object from '/usr/lib/python3.8/__pycache__/os.cpython-38.pyc'\n"
                               "# code object from /tmp/a b/pkg/__init__.py\n"
                               "# extension module '_x' loaded from '/tmp/_x.cpython-313-x86_64-linux-gnu.so'\n"
                               "# cleanup[2] removing os\n"
                               "# /srv/__pycache__/m.cpython-313.pyc matches /srv/m.py";
    static const char *const files[] = {
        "/usr/lib/python3.8/os.py", "/tmp/a b/pkg/__init__.py", "/tmp/_x.cpython-313-x86_64-linux-gnu.so", "/srv/m.py"};
    const char *at = text, *end = text + sizeof(text) - 1;
    char file[128];
    size_t n = 0;
    (void)state;
    while (imports_next(&at, end, file, sizeof(file)))
        assert_string_equal(file, files[n++]);
    assert_int_equal(n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_as_a_shell_does),
        cmocka_unit_test(leaves_to_a_shell_what_only_it_understands),
        cmocka_unit_test(refuses_an_open_quote_and_nothing),
        cmocka_unit_test(knows_functions),
        cmocka_unit_test(puts_a_python_before_a_script),
        cmocka_unit_test(reads_batches),
        cmocka_unit_test(refuses_what_is_no_answer),
        cmocka_unit_test(finds_the_files_of_imports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
