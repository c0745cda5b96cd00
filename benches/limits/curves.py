"""Prints how many seconds mltraq takes for runs with a sequence of a thousand points each, persisted."""

import sys
import time

import mltraq
from mltraq.utils.sequence import Sequence


def extend(run):
    run.fields.curve = Sequence()
    for k in range(1_000):
        run.fields.curve.append(value=(run.params.i + k) / 2)


file, runs = sys.argv[1], int(sys.argv[2])
with mltraq.options().ctx({"tqdm.disable": True}):
    session = mltraq.create_session(f"sqlite:///{file}")
    clock = time.perf_counter()
    experiment = session.create_experiment("curves")
    experiment.add_runs(i=range(runs))
    # One thread: processes of its own would cost it more than they do.
    experiment.execute(extend, n_jobs=1)
    experiment.persist()
    print(time.perf_counter() - clock)
