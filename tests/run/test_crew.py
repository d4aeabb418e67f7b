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


def test_workers_end_with_an_error_and_others_begin_anew(toy, tmp_path):
    class Stops(Quiet):
        def show(self, tally):
            if list(begun.iterdir()):
                raise RuntimeError("stopped")

    begun, folder = tmp_path / "begun", tmp_path / "run"
    begun.mkdir()
    slow = Cell("sleeps", 1, {"seconds": 60.0, "path": str(begun)})
    with Crew(folder, workers=1) as crew:
        crew.begin(["gnnmc_toy_stages"])
        with pytest.raises(RuntimeError, match="stopped"):
            execute([Task(toy.sleeps, (slow,))], Store(folder), crew=crew, progress=Stops())
        (process,) = (int(path.name) for path in begun.iterdir())
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
        assert crew.calls() is None
        assert process_of_a_task(toy, folder, crew, 0) != process
        assert begin_call(crew.calls(), os.getpid)() not in (process, os.getpid())


def test_workers_of_another_folder_are_refused(toy, tmp_path):
    with Crew(tmp_path / "a", workers=1) as crew:
        with pytest.raises(InputError, match=r"a cannot write into .*b: ") as error:
            execute([Task(toy.surroundings, (Cell("around", 1),))], Store(tmp_path / "b"), crew=crew)
        assert "\n" not in str(error.value)
        assert not (tmp_path / "b" / "log.txt").exists()


def test_a_run_counts_the_workers_that_have_started(toy, tmp_path):
    class Counts(Quiet):
        def __init__(self):
            self.workers = set()

        def show(self, tally):
            self.workers.add(tally.workers)

    with Crew(tmp_path, workers=2) as crew:
        assert crew.workers(1) == 1
        crew.begin([])
        assert crew.workers(1) == 2
        shown = Counts()
        execute([Task(toy.surroundings, (Cell("around", 1),))], Store(tmp_path), crew=crew, progress=shown)
        assert shown.workers == {2}


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
