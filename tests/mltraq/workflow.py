"""An experiment of mltraq whose runs a Rust program continues, and what mltraq makes of them then."""

import sys

import mltraq
from mltraq.utils.sequence import Sequence


def scale(run):
    run.fields.product = run.params.a * run.config.x
    run.fields.loss = Sequence()
    for epoch in range(run.params.a):
        run.fields.loss.append(value=epoch / 4)


def load(session):
    return session.load_experiment("grid")


what, file = sys.argv[1], sys.argv[2]
session = mltraq.create_session(f"sqlite:///{file}")
if what == "make":
    experiment = session.create_experiment("grid", dataset="toy")
    experiment.add_runs(a=[1, 2, 3], b=["x", "y"])
    experiment.execute(scale, config={"x": 0.5}, args_field="args", n_jobs=1)
    experiment.persist()
elif what == "check":
    experiment = load(session)
    assert experiment.fields.dataset == "toy"
    assert len(experiment.runs) == 6
    for run in experiment.runs.values():
        fields, params = run.fields, run.fields.args.params
        assert fields.product == params.a * 0.5, fields
        assert type(fields.loss) is Sequence and len(fields.loss) == params.a
        assert fields.total == sum(epoch / 4 for epoch in range(params.a)), fields
        assert fields.label == f"{params.b}{params.a}", fields
        assert fields.factor == 2, fields
        assert fields.pair == (params.a, params.b) or fields.pair == [params.a, params.b], fields.pair
        # What a run lacks is NULL, which pandas reads as NaN, and older ones as None.
        missing = fields.extra is None or fields.extra != fields.extra
        assert fields.extra == params.b if params.a == 3 else missing, fields.extra
elif what == "extend":
    # mltraq goes on: a further run, and all of them persisted again.
    experiment = load(session)
    run = mltraq.Run()
    run.fields |= next(iter(experiment.runs.values())).fields
    run.fields.args = mltraq.Bunch(config=mltraq.Bunch(x=0.5), params=mltraq.Bunch(a=1, b="z"))
    run.fields.product = 0.5
    experiment.runs.add(run)
    experiment.persist(if_exists="replace")
