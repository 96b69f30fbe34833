"""The benchmarks that are quick enough run, so that they do not rot between two measurements."""

from tools.bench import sync


def test_the_syncs_benchmark_sends_everything_and_prints_its_figures(capsys, monkeypatch):
    for name in ("LETTERSHOP_PUBLISHED", "LETTERSHOP_SYNC_STATE", "KLAVIYO_URL", "WEBHOOK_URL"):
        monkeypatch.setenv(name, "")  # the benchmark sets them; they are taken back afterwards
    sync.measure(20_000)
    printed = capsys.readouterr().out
    assert "20,000 changed rows to a sink that only counts" in printed
    assert "sync / limit" in printed and "rows a second" in printed
