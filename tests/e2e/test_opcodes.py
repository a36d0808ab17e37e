"""The opcode tables of src/python against what running interpreters do to their stacks of frames."""
import json
import subprocess
from pathlib import Path

import pytest
from tables import dump

PROBE = Path(__file__).parent / "programs" / "probe_opcodes.py"
FIRST_MINOR_WITH_CACHES = 11

# What the probe makes each version do, of what can push a Python frame without going through C.
INLINED = {
    11: {"CALL", "CALL_PY_EXACT_ARGS", "CALL_PY_WITH_DEFAULTS", "BINARY_SUBSCR_GETITEM"},
    12: {"CALL", "CALL_PY_EXACT_ARGS", "CALL_PY_WITH_DEFAULTS", "CALL_BOUND_METHOD_EXACT_ARGS", "CALL_FUNCTION_EX",
         "BINARY_SUBSCR_GETITEM", "LOAD_ATTR_PROPERTY", "LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN", "FOR_ITER_GEN", "SEND_GEN"},
    13: {"CALL", "CALL_PY_EXACT_ARGS", "CALL_PY_GENERAL", "CALL_BOUND_METHOD_EXACT_ARGS", "CALL_BOUND_METHOD_GENERAL",
         "CALL_FUNCTION_EX", "CALL_KW", "CALL_ALLOC_AND_ENTER_INIT", "BINARY_SUBSCR_GETITEM", "LOAD_ATTR_PROPERTY",
         "LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN", "FOR_ITER_GEN", "SEND_GEN"},
    14: {"CALL", "CALL_PY_EXACT_ARGS", "CALL_PY_GENERAL", "CALL_BOUND_METHOD_EXACT_ARGS", "CALL_BOUND_METHOD_GENERAL",
         "CALL_FUNCTION_EX", "CALL_KW_PY", "CALL_KW_BOUND_METHOD", "CALL_ALLOC_AND_ENTER_INIT", "BINARY_OP_SUBSCR_GETITEM",
         "LOAD_ATTR_PROPERTY", "LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN", "FOR_ITER_GEN", "SEND_GEN"},
    15: {"CALL", "CALL_PY_EXACT_ARGS", "CALL_PY_GENERAL", "CALL_BOUND_METHOD_EXACT_ARGS", "CALL_BOUND_METHOD_GENERAL",
         "CALL_EX_PY", "CALL_KW_PY", "CALL_KW_BOUND_METHOD", "CALL_ALLOC_AND_ENTER_INIT", "BINARY_OP_SUBSCR_GETITEM",
         "LOAD_ATTR_PROPERTY", "LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN", "FOR_ITER_GEN", "SEND_GEN"},
}

observed = {}


@pytest.fixture
def seen(pythons, tmp_path):
    """(python, table, what the probe saw), one run of the probe an interpreter."""
    if pythons.path not in observed:
        table = dump(pythons, tmp_path)
        told = subprocess.run([pythons.path, "-I", str(PROBE)], input=json.dumps({"layout": table["layout"]}),
                              capture_output=True, text=True, timeout=120)
        assert told.returncode == 0, told.stderr
        observed[pythons.path] = (table, json.loads(told.stdout))
    return (pythons, *observed[pythons.path])


def wrong(edges):
    return sorted({f"{e['name']} ({'entered' if e['entered'] else 'inlined'})" for e in edges})


def test_no_callee_stands_on_an_instruction_that_cannot_call(seen):
    _, table, probe = seen
    assert len(probe["edges"]) > 15
    assert not wrong(e for e in probe["edges"] if table["opcodes"][e["opcode"]]["class"] in ("pure", "unknown"))


def test_only_inlining_instructions_push_frames_themselves(seen):
    python, table, probe = seen
    if python.minor[1] < FIRST_MINOR_WITH_CACHES:
        pytest.skip("before 3.11 every call of a Python function goes through C")
    inlined = [e for e in probe["edges"] if not e["entered"]]
    assert not wrong(e for e in inlined
                     if table["opcodes"][e["opcode"]]["class"] not in ("inlines", "versioned", "opaque"))
    assert INLINED[python.minor[1]] <= {e["name"] for e in inlined}


def test_a_caller_that_waits_has_saved_its_stack_pointer(seen):
    python, table, probe = seen
    if python.minor[1] < FIRST_MINOR_WITH_CACHES:
        pytest.skip("before 3.11 a frame does not tell")
    saved_in_c = python.minor[1] >= 14
    assert not wrong(e for e in probe["edges"] if (saved_in_c or not e["entered"]) and not e["saved"])
    assert saved_in_c or not wrong(e for e in probe["edges"] if e["entered"] and e["saved"])


def test_the_cached_version_is_the_callees_until_the_first_miss(seen):
    python, table, probe = seen
    if python.minor[1] < FIRST_MINOR_WITH_CACHES:
        pytest.skip("no inline caches before 3.11")
    fresh, checked = table["pristine_counter"], set()
    for e in probe["edges"]:
        op = table["opcodes"][e["opcode"]]
        if op["class"] != "versioned" or e["counter"] != fresh:
            continue
        assert op["counter_at"] == 2
        assert not e["entered"], e
        assert op["version_at"] in e["versions"], e
        checked.add(e["name"])
    versioned = {probe["names"][str(n)] for n, op in enumerate(table["opcodes"]) if op["class"] == "versioned"}
    assert checked == versioned


def test_the_counter_changes_at_a_miss_and_only_then(seen):
    python, table, probe = seen
    if python.minor[1] < FIRST_MINOR_WITH_CACHES:
        pytest.skip("no inline caches before 3.11")
    counters = probe["counters"]
    assert counters["fresh"] == counters["after_hits"] == table["pristine_counter"]
    assert counters["after_miss"] not in (None, table["pristine_counter"])


def test_generators_are_marked(seen):
    python, table, probe = seen
    for e in probe["edges"]:
        if e["name"] in ("FOR_ITER_GEN", "SEND_GEN"):
            assert table["opcodes"][e["opcode"]]["generator"], e


def test_every_instruction_is_known_with_its_caches(seen):
    python, table, probe = seen
    names = {int(n): name for n, name in probe["names"].items() if name not in ("RESERVED", "<0>")}
    known = {n for n, op in enumerate(table["opcodes"]) if op["class"] != "unknown"}
    # DO_TRACING of 3.11 is a jump target of the interpreter loop, never in code.
    assert known - ({255} if python.minor[1] == 11 else set()) == set(names)
    # ENTER_EXECUTOR and its like stand for another instruction, whose caches they keep.
    assert {n: op["caches"] for n, op in enumerate(table["opcodes"]) if n in names and op["class"] != "opaque"} == \
        {int(n): c for n, c in probe["caches"].items() if int(n) in names and table["opcodes"][int(n)]["class"] != "opaque"}
