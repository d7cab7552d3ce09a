"""How far a source has been applied, and who waits for that."""

from hypothesis import given
from hypothesis import strategies as st

from kajitori.ctrl.progress import Progress, version_number


@given(st.lists(st.tuples(st.sampled_from(["wait", "advance", "again"]), st.integers(1, 9))))
def test_waiters_are_called_once_and_in_time(steps: list[tuple[str, int]]) -> None:  # P1, P2
    progress, calls, waiting, passed = Progress(), list[int](), dict[int, int](), -1
    for number, (step, version) in enumerate(steps):
        if step == "wait":
            waiting[number] = version
            progress.when_passed(version, lambda number=number: calls.append(number))  # type: ignore[misc]
        elif step == "advance":
            progress.advance(str(version))
            passed = max(passed, version)
        else:
            progress.begin_again(str(version))
            if version < passed:
                waiting.clear()  # They are told: what they wait for is lost.
            passed = version
        waiting = {waiter: wanted for waiter, wanted in waiting.items() if wanted > passed}
        assert progress.passed == passed
        assert len(calls) == len(set(calls)) and not set(calls) & set(waiting)
        called = {waiter for waiter, (kind, _) in enumerate(steps[: number + 1]) if kind == "wait"}
        assert set(calls) == called - set(waiting)


def test_who_no_longer_waits_is_not_called() -> None:  # P1
    progress, calls = Progress(), list[str]()
    cancel = progress.when_passed(5, lambda: calls.append("cancelled"))
    cancel()
    progress.advance("7")
    progress.when_passed(6, lambda: calls.append("at once"))()
    assert calls == ["at once"]


def test_versions_that_are_no_numbers_are_not_compared() -> None:
    assert [version_number(text) for text in ("12", "", "0", "012", "-1", "1a", "١")] == [12, *[None] * 6]
    progress = Progress()
    progress.begin_again("opaque")
    assert progress.passed == -1
