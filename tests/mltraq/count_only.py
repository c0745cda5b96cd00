"""The experiment of that name loads, with so many runs."""

import sys

import mltraq

file, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
experiment = mltraq.create_session(f"sqlite:///{file}").load_experiment(name)
assert len(experiment.runs) == count, len(experiment.runs)
