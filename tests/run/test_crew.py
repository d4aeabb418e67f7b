import os
import signal

import pytest

from gnnmc.errors import InputError
from gnnmc.run import Crew, Quiet, execute
from gnnmc.run.calls import begin_call
from gnnmc.store import Cell, Store, Task


def process_of_a_task(toy, folder, crew, number):
    cell = Cell("around", 1, {"n": number})
    assert execute([Task(toy.surroundings, (cell,))], Store(folder), crew=crew, progress=Quiet()).ok
    return Store(folder).load(cell)["process"]


def test_workers_stay_from_before_the_tasks_to_the_calls_after_them(toy, tmp_path):
    with Crew(tmp_path, workers=1) as crew:
        crew.begin(["gnnmc_toy_stages", "no_such_module"])
        processes = {process_of_a_task(toy, tmp_path, crew, number) for number in range(2)}
        processes.add(begin_call(crew.calls(), os.getpid)())
        assert len(processes) == 1
        assert os.getpid() not in processes
    with pytest.raises(ProcessLookupError):
        os.kill(processes.pop(), 0)


def test_more_workers_start_when_more_are_wanted(tmp_path):
    with Crew(tmp_path, workers=6) as crew:
        crew.begin([])
        assert crew.runner(1).capacity == 4
        assert crew.runner(100).capacity == 6


def test_a_call_whose_worker_dies_is_made_here(tmp_path):
    with Crew(tmp_path, workers=1) as crew:
        crew.begin([])
        worker = begin_call(crew.calls(), os.getpid)()
        os.kill(worker, signal.SIGKILL)
        assert begin_call(crew.calls(), os.getpid)() == os.getpid()


def test_an_error_of_a_call_is_that_of_the_function(tmp_path):
    with Crew(tmp_path, workers=1) as crew:
        crew.begin([])
        with pytest.raises(ZeroDivisionError):
            begin_call(crew.calls(), divmod, 1, 0)()


def test_where_tasks_are_done_here_so_are_calls(toy, tmp_path):
    with Crew(tmp_path, "serial") as crew:
        crew.begin(["gnnmc_toy_stages"])
        assert process_of_a_task(toy, tmp_path, crew, 0) == os.getpid()
        assert crew.calls() is None
        assert begin_call(crew.calls(), os.getpid)() == os.getpid()


def test_a_crew_of_nobody_is_refused(tmp_path):
    with pytest.raises(InputError, match="workers is 0"):
        Crew(tmp_path, workers=0)
