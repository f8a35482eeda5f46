# SPDX-License-Identifier: Apache-2.0
"""Help, version, bad usage, and what is named but not built."""

import re

import pytest

COMMANDS = [
    "init", "serve", "enroll code", "enroll join", "enroll revoke", "token", "import", "replay",
    "status", "review list", "review show", "review resolve", "deadletter list",
    "deadletter retry", "stock", "verify", "rebuild", "export", "trace", "sim", "lab",
    "central recovered", "central topics", "central migrate",
]
NEED_FOLDER = [
    "serve", "enroll code", "enroll join", "token", "import", "replay", "status", "review list",
    "review show", "deadletter list", "deadletter retry", "stock", "verify", "rebuild", "export",
    "trace", "init", "central recovered",
]


def test_help_lists_every_command(wasl):
    listed = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", wasl.good("--help").out, re.M)
    assert listed == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(wasl, command):
    result = wasl.good(*command.split(), "--help")
    assert re.match(r"[Uu]sage: wasl " + command, result.out)
    assert result.err == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_lone_h_is_help_too(wasl, command):
    assert wasl.good(*command.split(), "-h").out == wasl.good(*command.split(), "--help").out


@pytest.mark.parametrize("group", ["enroll", "review", "deadletter", "central"])
def test_a_group_lists_its_commands(wasl, group):
    assert f"  {group} " in wasl.good(group, "--help").out
    wasl.bad(group, code=2, saying=group)
    wasl.bad(group, "dance", code=2, saying=f'"{group} dance"')


def test_version(wasl):
    assert re.fullmatch(r"wasl \d+\.\d+\.\d+\n", wasl.good("--version").out)


def test_no_command_and_an_unknown_one(wasl):
    wasl.bad(code=2)
    wasl.bad("dance", code=2, saying="dance")


@pytest.mark.parametrize("command", NEED_FOLDER)
def test_bad_usage_is_one_line_and_exit_code_2(wasl, command):
    words = command.split()
    wasl.bad(*words, code=2, saying="DIR")
    wasl.bad(*words, "--no-such-option", code=2, saying="no-such-option")


@pytest.mark.parametrize("command", ["serve", "status", "verify", "stock", "rebuild", "token"])
def test_an_argument_too_many(wasl, command):
    wasl.bad(command, "a", "b", code=2, saying='"b"')


@pytest.mark.parametrize(
    "words",
    [
        ["lab", "forecast", "--data", "x"],
        ["lab"],
        ["central", "topics", "c"],
        ["central", "migrate", "c", "--to", "x"],
    ],
)
def test_what_is_not_built_says_so(wasl, words):
    wasl.bad(*words, saying="not built")


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "x"],
        ["status", "x"],
        ["verify", "x"],
        ["stock", "x"],
        ["rebuild", "x"],
        ["export", "x"],
        ["review", "list", "x"],
        ["review", "resolve", "x", "1", "--decision", "accept"],
        ["deadletter", "list", "x"],
        ["deadletter", "retry", "x"],
        ["token", "x", "--name", "n", "--role", "owner"],
        ["enroll", "code", "x", "--location", "l", "--role", "terminal"],
        ["trace", "x", "01a1fbec-a924-77c4-8f0e-13dd3e02ced7"],
    ],
)
def test_a_folder_without_a_node(wasl, words):
    wasl.bad(*words, saying="no node in x")


def test_the_simulator_runs(wasl):
    result = wasl.good("sim", "--seed", 3, "--count", 2, "--steps", 200)
    assert result.last["seeds"] == 2
    assert [result.last[k] for k in ("lost", "doubled", "divergent", "wedged")] == [0, 0, 0, 0]
    assert wasl("sim", "--count", "many").code == 2
