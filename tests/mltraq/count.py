"""The experiment of that name loads, with so many runs; a point and a result each."""

import sqlite3
import sys

import mltraq

file, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
session = mltraq.create_session(f"sqlite:///{file}")
assert name in list(session.ls()["name"]), session.ls()
experiment = session.load_experiment(name)
assert len(experiment.runs) == count, (len(experiment.runs), count)
for run in experiment.runs.values():
    assert run.fields.result == run.fields.point ** 2, run.fields
db = sqlite3.connect(file)
assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
