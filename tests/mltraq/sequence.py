"""A sequence of xp is a Sequence of mltraq, and can be appended to and persisted again."""

import sys

import mltraq
import pandas as pd
from mltraq.utils.sequence import Sequence

file, rows = sys.argv[1], int(sys.argv[2])
session = mltraq.create_session(f"sqlite:///{file}")
experiment = session.load_experiment("training")
with_losses = 0
for run in experiment.runs.values():
    k, losses = run.fields.point, run.fields.losses
    if k == 2:
        # This run recorded no sequence.
        assert losses is None, losses
        continue
    with_losses += 1
    assert type(losses) is Sequence, type(losses)
    assert len(losses) == rows
    df = losses.df()
    assert list(df.columns[:2]) == ["idx", "timestamp"], df.columns
    assert set(df.columns[2:]) == {"epoch", "loss", "phase", "good", "best"}, df.columns
    assert list(df["idx"]) == list(range(rows))
    assert str(df["timestamp"].dtype) == "datetime64[us]", df["timestamp"].dtype
    assert df["timestamp"].is_monotonic_increasing
    assert abs((pd.Timestamp.now() - df["timestamp"].iloc[0]).total_seconds()) < 600
    assert list(df["epoch"]) == list(range(rows))
    assert list(df["loss"]) == [k + epoch / 8 for epoch in range(rows)]
    assert list(df["phase"]) == ["Warmup" if epoch < 10 else "Main é" for epoch in range(rows)]
    assert list(df["good"]) == [epoch % 2 == 0 for epoch in range(rows)]
    assert list(df["best"].dropna()) == [float(epoch) for epoch in range(0, rows, 5)]
assert with_losses == 2, with_losses

# mltraq goes on with it.
for run in experiment.runs.values():
    if run.fields.losses is not None:
        run.fields.losses.append(epoch=rows, loss=0.5, phase="Main é", good=True, best=None)
copy = experiment.copy_to(name="copy")
copy.persist()
for run in session.load_experiment("copy").runs.values():
    if isinstance(run.fields.losses, Sequence):
        assert len(run.fields.losses) == rows + 1
