from __future__ import annotations

import threading
import time

import pytest

from micro_bench.pipeline.line import in_parallel


class Gauge:
    """How many are at work at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = self.most = 0

    def work(self, item: int) -> int:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.01)
        with self._lock:
            self.now -= 1
        return item * 2


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_than_the_jobs_are_at_work_and_everything_is_done(jobs):
    gauge = Gauge()
    results = in_parallel(gauge.work, range(10), jobs)
    assert sorted(results) == [(n, n * 2) for n in range(10)]
    assert gauge.most <= jobs


def test_jobs_do_run_at_the_same_time():
    meeting = threading.Barrier(3, timeout=10)
    results = in_parallel(lambda _: meeting.wait() >= 0, range(3), 3)
    assert [result for _, result in results] == [True] * 3


def test_an_error_is_the_result_of_its_item_and_of_no_other():
    results = dict(in_parallel(lambda n: 6 // n, [1, 0, 2], 2))
    assert (results[1], results[2]) == (6, 3)
    assert isinstance(results[0], ZeroDivisionError)


def test_nothing_to_do_is_nothing():
    assert in_parallel(lambda n: n, [], 4) == []


def test_nothing_more_begins_once_it_is_stopped():
    stop, begun = threading.Event(), []

    def work(item: int) -> None:
        begun.append(item)
        if item == 1:
            stop.set()

    results = in_parallel(work, range(50), 1, stop=stop)
    assert begun == [0, 1]
    assert [item for item, _ in results] == [0, 1]


def test_an_interrupt_abandons_what_is_under_way_and_waits_for_it(monkeypatch):
    stop, freed, ended, begun = threading.Event(), threading.Event(), [], []

    def work(item: int) -> None:
        begun.append(item)
        assert freed.wait(10), "abandon was not called"
        ended.append(item)

    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("micro_bench.pipeline.line.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_parallel(work, range(50), 2, stop=stop, abandon=freed.set)
    assert stop.is_set()
    assert freed.is_set()
    assert sorted(ended) == sorted(begun)
    assert set(begun) <= {0, 1}


def test_nothing_is_abandoned_without_an_interrupt():
    called = []
    in_parallel(lambda n: 1 // n, [0, 1], 2, abandon=lambda: called.append(1))
    assert called == []
