"""What the harness is to the others: the clock and the protocol, for systems written in Python.

`main.py <set-up program> <system> <backend> <directory> [<user> <port> <socket> <database>]`; the harness's `serve.rs`
says what is read and written. A system is a class in a module of its own, with a method per case that it measures;
what the method gives to `meter.measure` is timed, what is around that is not.
"""

import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from time import perf_counter_ns as now

SYSTEMS = {"sqlalchemy": "with_sqlalchemy", "django": "with_django"}


@dataclass
class Place:
    """Where a system finds its database; all but the backend are PostgreSQL's."""

    backend: str
    user: str = ""
    port: str = ""
    socket: str = ""
    database: str = ""


class Meter:
    """Times batches of one case, as the harness's `meter.rs` does."""

    SAMPLE, BATCH, BATCH_LIMIT = 500_000, 24_000_000, 250_000_000

    def __init__(self, rows, between):
        self.rows = rows
        # Statements that check what was written, and take it away again.
        self.between = between
        self.operations = 1
        self.calibrated = False
        self.nanoseconds = None

    def measure_once(self, operation, after, given=tuple):
        """A sample is one operation, on what `given` makes for it. Neither that nor `after` is timed."""
        samples, begun = [], now()
        while not samples or (sum(samples) < self.BATCH and now() - begun < self.BATCH_LIMIT):
            used = given()
            started = now()
            operation(*used)
            samples.append(now() - started)
            after()
        self.nanoseconds = median(samples)

    def measure(self, operation, after=lambda: None):
        """`after` runs between samples and is not timed."""
        samples, begun = [], now()
        while not samples or (sum(samples) < self.BATCH and now() - begun < self.BATCH_LIMIT):
            operation()
            started = now()
            for _ in range(self.operations):
                operation()
            elapsed = now() - started
            after()
            if self.calibrated or elapsed >= self.SAMPLE / 2:
                self.calibrated = True
                samples.append(elapsed)
            else:
                self.operations *= min(max(self.SAMPLE // elapsed, 2), 10)
        self.nanoseconds = median(samples) / self.operations


def main():
    set_up, name, backend, _directory, *server = sys.argv[1:]
    system = import_module(SYSTEMS[name]).System(Place(backend, *server))
    asked, meter = None, None
    for line in sys.stdin:
        _, case, rows = line.split()
        operation = getattr(system, case, None)
        if operation is None:
            print("skipped it is here for relations and units of work, and not measured otherwise", flush=True)
            continue
        if (case, rows) != asked:
            words = [set_up, backend, case, rows]
            asked, meter = (case, rows), Meter(int(rows), lines(words + ["between"]))
            for statement in lines(words):
                system.execute(statement)
        operation(meter)
        print(f"{meter.nanoseconds:.2f}", flush=True)


def lines(command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


if __name__ == "__main__":
    main()
