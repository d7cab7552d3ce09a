"""A terminal that is slow, stopped or gone holds nobody up."""

import io
import threading

from kajitori.cli.printing import LINES_MAX, Printer


class Stopped(io.StringIO):
    """A terminal whose reader can be stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.is_writing = threading.Event()

    def write(self, text: str) -> int:
        self.is_writing.set()
        self.go_on.wait(10)
        return super().write(text)


def test_lines_come_in_order() -> None:
    stream = io.StringIO()
    printer = Printer(stream)
    for number in range(100):
        printer.print(str(number))
    printer.close()
    assert stream.getvalue() == "".join(f"{number}\n" for number in range(100))


def test_a_stopped_terminal_holds_nobody_up_and_is_told_what_it_missed() -> None:  # P1, P2
    stream = Stopped()
    printer = Printer(stream)
    printer.print("first")
    assert stream.is_writing.wait(10)
    for number in range(LINES_MAX + 5):
        printer.print(str(number))
    stream.go_on.set()
    printer.close()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "first" and lines[-2] == str(LINES_MAX - 1)
    assert lines[-1] == "(5 lines are left out: they were not read in time)"


class Gone(io.StringIO):
    """A terminal that was closed."""

    def flush(self) -> None:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_terminal_that_is_gone_is_no_error() -> None:  # P3
    printer = Printer(Gone())
    for number in range(LINES_MAX * 2):
        printer.print(str(number))
    printer.close()
