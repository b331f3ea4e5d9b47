"""Processes that outlive their starter are found again and ended, and nobody else's."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from winback.airflow.processes import Child, known, stop

CHILD = "import time; time.sleep({seconds}); print('finished', flush=True)"
PARENT = f"""import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}.format(seconds=sys.argv[1])])
signal.signal(signal.SIGTERM, lambda *_: (child.wait(), sys.exit()))
print(child.pid, flush=True)
time.sleep(60)
"""
STUBBORN = """import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("on", flush=True)
time.sleep(60)
"""


def python(child, code, *arguments):
    child.start([sys.executable, "-c", code, *arguments], os.environ)
    deadline = time.monotonic() + 10
    while "\n" not in (said := child.log.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return said.strip()


def is_dead(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def child(tmp_path):
    made = Child("sleeper", tmp_path)
    yield made
    stop([made], 0)


def test_a_command_runs_in_its_own_session_with_its_own_log(child):
    assert not child.is_running()
    python(child, "import os, time; print(os.getsid(0) == os.getpid(), flush=True); time.sleep(60)")
    assert child.is_running()
    assert child.tail() == "    True"
    assert known(child.state_dir) == [child]


def test_stop_ends_the_command_and_what_it_started(child):
    grandchild = psutil.Process(int(python(child, PARENT, "60")))
    assert stop([child], 10) == ["sleeper"]
    assert not child.is_running()
    assert is_dead(grandchild)
    assert stop([child], 10) == []
    assert known(child.state_dir) == []


def test_what_a_killed_command_left_behind_is_found_and_ended(child):
    grandchild = psutil.Process(int(python(child, PARENT, "60")))
    child.family()[0].kill()
    deadline = time.monotonic() + 10
    while child.is_running() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert child.family() == [grandchild]
    assert stop([child], 10) == ["sleeper"]
    assert is_dead(grandchild)


def test_a_command_that_does_not_listen_is_killed_after_the_grace_time(child):
    python(child, STUBBORN)
    began = time.monotonic()
    assert stop([child], 0.5) == ["sleeper"]
    assert 0.5 <= time.monotonic() - began < 5


@pytest.mark.parametrize(("leaders_only", "is_finished"), [(True, True), (False, False)])
def test_leaders_only_lets_what_the_command_started_finish(child, leaders_only, is_finished):
    python(child, PARENT, "1")
    assert stop([child], 10, leaders_only=leaders_only) == ["sleeper"]
    assert ("finished" in child.log.read_text()) is is_finished


def test_another_program_with_the_same_number_is_left_alone(child):
    python(child, "import time; print('on', flush=True); time.sleep(60)")
    file = child.state_dir / "run" / "sleeper.json"
    stop([child], 10)
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        file.write_text(f'{{"pid": {other.pid}, "started": {time.time() - 3600}}}')
        assert not child.is_running()
        assert stop([child], 10) == []
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
