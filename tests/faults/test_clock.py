"""A clock that is set back while a run goes on."""

import re
import shutil
import subprocess
import sys
import textwrap

import pytest
from gnnmc_toy_processes import half_written, log, results, tables, wait_for

# Put before the C library: each look at the clock is an hour earlier than the one before, down to the year 1970. The
# monotonic clock and the times of files are the kernel's own.
CLOCK = """
    #define _GNU_SOURCE
    #include <stddef.h>
    #include <sys/syscall.h>
    #include <sys/time.h>
    #include <time.h>
    #include <unistd.h>

    static long looks = 0;

    int clock_gettime(clockid_t clock, struct timespec *now) {
        int failed = syscall(SYS_clock_gettime, clock, now);
        if (!failed && clock == CLOCK_REALTIME) {
            now->tv_sec -= 3600 * __sync_fetch_and_add(&looks, 1);
            if (now->tv_sec < 1000) now->tv_sec = 1000;
        }
        return failed;
    }

    int gettimeofday(struct timeval *restrict now, void *restrict zone) {
        struct timespec precise;
        clock_gettime(CLOCK_REALTIME, &precise);
        now->tv_sec = precise.tv_sec;
        now->tv_usec = precise.tv_nsec / 1000;
        return 0;
    }

    time_t time(time_t *place) {
        struct timespec precise;
        clock_gettime(CLOCK_REALTIME, &precise);
        if (place) *place = precise.tv_sec;
        return precise.tv_sec;
    }
"""


@pytest.fixture(scope="module")
def backwards(tmp_path_factory):
    """The environment of a process whose clock goes backwards; skips where that cannot be had."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("setting a clock back for one process needs Linux and a C compiler")
    folder = tmp_path_factory.mktemp("clock")
    (folder / "clock.c").write_text(textwrap.dedent(CLOCK))
    library = folder / "clock.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, folder / "clock.c"], check=True)
    return {"LD_PRELOAD": str(library)}


@pytest.mark.slow
def test_a_clock_that_goes_backwards(config, undisturbed, starter, tmp_path, backwards):
    folder = tmp_path / "run"
    out, err = starter.study(config, folder, environment=backwards).communicate(timeout=120)
    assert out.startswith("14 cells done, 0 there before, 0 failed"), err
    times = [line.split()[0] for line in log(folder).splitlines()]
    assert times == sorted(set(times), reverse=True)  # the clock did go back
    again, more = starter.study(config, folder, environment=backwards).communicate(timeout=120)
    assert again.startswith("0 cells done, 14 there before, 0 failed")
    for text in (out, err, again, more, log(folder)):
        assert not re.search(r"(?<![\w.-])-\d", re.sub(r"\d{4}-\d\d-\d\dT\S+", "", text)), text
        assert "Traceback" not in text
    assert tables(folder) == tables(undisturbed)
    assert not half_written(folder)


@pytest.mark.slow
def test_a_run_killed_while_the_clock_went_backwards(toy_tables, starter, tmp_path, backwards):
    folder = tmp_path / "run"
    run = starter.toy(folder, seconds=0.05, environment=backwards)
    wait_for(lambda: results(folder) >= 10)
    run.kill()
    run.wait()
    kept = results(folder)
    out, err = starter.toy(folder, seconds=0.05, environment=backwards).communicate(timeout=120)
    assert int(re.search(r"(\d+) there before", out)[1]) >= kept - 2, out + err
    assert tables(folder) == toy_tables
    assert not half_written(folder)
