"""Values in files of their own, which xp wrote: MLtraq loads them from the directory of the database."""

import os
import pathlib
import sys

import mltraq
import numpy as np
from mltraq.storage.datastore import DataStore

file, id_experiment = sys.argv[1:]
os.chdir(os.path.dirname(file))

session = mltraq.create_session(f"sqlite:///{file}")
experiment = session.load_experiment("stores")
assert str(experiment.id_experiment) == id_experiment
assert type(experiment.fields.best) is DataStore
assert experiment.fields.best.value.tolist() == [1.5, 2.5]

for run in experiment.runs.values():
    n, fields = run.fields.n, run.fields
    assert type(fields.trace) is DataStore, type(fields.trace)
    assert list(fields.trace) == ["value"]
    assert fields.trace.value.dtype == np.float64
    assert fields.trace.value.tolist() == [n] * 1000
    assert type(fields.model) is DataStore
    assert list(fields.model) == ["weights", "label"], list(fields.model)
    assert fields.model.weights == [n, 0.5] and fields.model.label == f"model {n}"
    assert fields.nested.value.value == n
    assert [store.value for store in fields.list] == list(range(int(n)))
    assert fields.empty is None
    archive = pathlib.Path("mltraq.archivestore") / id_experiment
    assert (archive / f"{n}.txt").read_text() == str(n)
    assert (archive / "sub/c.txt").read_text() == "c"
