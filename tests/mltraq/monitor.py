"""The sequence of xp's monitor has the columns and the kinds of values of mltraq's own."""

import sys

import mltraq
from mltraq.utils.sequence import Sequence

# In the order in which `mltraq.utils.sysmon.get_stats` has them, which needs psutil. A Sequence sorts them.
COLUMNS = {
    "mem_total_gb", "mem_free_gb", "mem_used_pct", "cpu_cnt", "cpu_pct", "cpu0_pct",
    "disk_total_gb", "disk_free_gb", "disk_used_pct", "net_recv_kbs", "net_sent_kbs",
}  # fmt: skip

session = mltraq.create_session(f"sqlite:///{sys.argv[1]}")
experiment = session.load_experiment("rests")
assert len(experiment.runs) == 2
for run in experiment.runs.values():
    assert type(run.fields.sysmon) is Sequence, type(run.fields.sysmon)
    df = run.fields.sysmon.df()
    assert list(df.columns[:2]) == ["idx", "timestamp"], df.columns
    others = list(df.columns[2:])
    assert COLUMNS <= set(others), others
    assert all(name in COLUMNS or name.startswith("cpu") for name in others), others
    assert len(df) >= 2 and list(df["idx"]) == list(range(len(df)))
    assert (df["mem_free_gb"] <= df["mem_total_gb"]).all()
    # A row more, as mltraq itself appends it.
    run.fields.sysmon.append(**{name: df[name].iloc[-1].item() for name in others})
experiment.copy_to(name="copy").persist()
for run in session.load_experiment("copy").runs.values():
    assert len(run.fields.sysmon.df()) >= 3
