"""Draw what is known about each model: one static page per model in target/model_report/.

    python -m tools.model_report [folder]

Reads the published database (LETTERSHOP_PUBLISHED) and nothing else; the same database gives the
same bytes. No page holds anything about a single person.
"""

import html
import io
import sys
from pathlib import Path

import duckdb
import matplotlib

from tools.places import PROJECT, place

matplotlib.use("Agg")
from matplotlib import pyplot

FOLDER = PROJECT / "target" / "model_report"
# The lines that each plot may have, by name of the candidate; the rest would be a tangle.
BASELINES = ("rfm_score", "recency_days", "trailing_90d", "constant", "champion")
PERFORMANCE = (
    *("day", "version", "people", "base_rate", "mean_score", "auc", "training_auc", "brier"),
    *("calibration_error", "lift_10"),
)
STYLE = """
body { font-family: sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .2em .8em; text-align: left }
tr:nth-child(even) { background: #f3f3f3 } svg { max-width: 100%; height: auto }
.none { color: #777; font-style: italic }
"""


class Registry:
    """What the published database says of models.

    Attributes:
        connection: to it, read-only.
    """

    def __init__(self, path: Path):
        """Open the database.

        Args:
            path: of the published database.
        """
        self.connection = duckdb.connect(str(path), read_only=True)

    def rows(self, sql: str, *values) -> list[tuple]:
        """Return the rows of a query with values for its question marks."""
        return self.connection.execute(sql, list(values)).fetchall()

    def models(self) -> list[str]:
        """Return the names of all models about which there was a decision."""
        found = self.rows(
            "select distinct model_name from training.retraining_decisions order by 1"
        )
        return [name for (name,) in found]


def figure(draw, width: float = 7, height: float = 3.6) -> str:
    """Return a plot as SVG to stand in a page.

    Args:
        draw: called with the axes.
        width: in inches.
        height: in inches.
    """
    with matplotlib.rc_context({"svg.hashsalt": "lettershop", "svg.fonttype": "none"}):
        plot, axes = pyplot.subplots(figsize=(width, height), layout="constrained")
        draw(axes)
        written = io.StringIO()
        plot.savefig(written, format="svg", metadata={"Date": None})
        pyplot.close(plot)
    text = written.getvalue()
    return text[text.index("<svg") :]


def table(headings, rows: list[tuple]) -> str:
    """Return a table in HTML; numbers with four digits behind the point.

    Args:
        headings: of the columns.
        rows: as long as headings each.
    """

    def cell(thing) -> str:
        if thing is None:
            return ""
        text = f"{thing:.4f}" if hasattr(thing, "as_integer_ratio") and thing % 1 else str(thing)
        return html.escape(text)

    lines = ["<tr>" + "".join(f"<th>{html.escape(name)}</th>" for name in headings) + "</tr>"]
    for row in rows:
        lines.append("<tr>" + "".join(f"<td>{cell(thing)}</td>" for thing in row) + "</tr>")
    return "<table>" + "".join(lines) + "</table>"


def nothing(text: str) -> str:
    """Return a sentence in place of a plot."""
    return f'<p class="none">{html.escape(text)}</p>'


def lift(registry: Registry, name: str) -> str:
    """Return how many of those to whom it happened stood among the best scores."""
    rows = registry.rows(
        """
        select
            row_number() over ranked / count(*) over () as top,
            sum(happened) over ranked / nullif(sum(happened) over (), 0) as caught
        from (
            -- A group of equal scores shares what it got.
            select *, avg(cast(label > 0 as integer)) over (partition by score) as happened
            from monitoring.scored_outcomes where model_name = ?
        ) as outcomes
        window ranked as (
            order by score desc, as_of_date, customer_key, item_id rows unbounded preceding
        )
        order by top
        """,
        name,
    )
    if not rows or rows[-1][1] is None:
        return nothing("No past window has ended yet in which a version served.")
    step = max(len(rows) // 200, 1)

    def draw(axes):
        axes.plot(*zip((0, 0), *rows[::step], *rows[-1:], strict=True), label=name)
        axes.plot([0, 1], [0, 1], linestyle=":", color="grey", label="chance")
        axes.set(xlabel="Share of people, best scores first", ylabel="Share of events")
        axes.legend()

    return figure(draw)


def calibration(registry: Registry, name: str) -> str:
    """Return predicted against actual shares, per decile of training."""
    rows = registry.rows(
        """
        select avg(cast(score as decimal(18, 9))), avg(cast(label > 0 as integer)), count(*)
        from monitoring.scored_outcomes where model_name = ? group by decile order by decile
        """,
        name,
    )
    if not rows:
        return nothing("No past window has ended yet in which a version served.")

    def draw(axes):
        predicted, actual, counts = zip(*rows, strict=True)
        axes.scatter(predicted, actual, s=[10 + 200 * n / max(counts) for n in counts])
        top = max(*predicted, *actual)
        axes.plot([0, top], [0, top], linestyle=":", color="grey")
        axes.set(xlabel="Mean score of the decile", ylabel="Share to whom it happened")

    return figure(draw)


def drift(registry: Registry, name: str) -> str:
    """Return the features that moved most, and the score."""
    rows = registry.rows(
        """
        select feature, stability_index from monitoring.feature_drift where model_name = $1
        union all
        select 'score', stability_index from monitoring.score_drift where model_name = $1
        order by stability_index desc, feature limit 15
        """,
        name,
    )
    if not rows:
        return nothing("No version serves.")

    def draw(axes):
        features, indices = zip(*rows[::-1], strict=True)
        axes.barh(features, [float(number) for number in indices])
        axes.axvline(0.25, color="grey", linestyle=":")
        axes.set(xlabel="Stability index against training")

    return figure(draw, height=4.4)


def reasons(registry: Registry, name: str) -> str:
    """Return for how many people each family of features is the first reason."""
    rows = registry.rows(
        """
        select reason_1, count(*) / sum(count(*)) over ()
        from predictions.score_reasons where model_name = ? and reason_1 is not null
        group by reason_1 order by count(*) desc, reason_1 limit 12
        """,
        name,
    )
    if not rows:
        return nothing("It gives no reasons.")

    def draw(axes):
        names, rates = zip(*rows[::-1], strict=True)
        axes.barh(names, rates)
        axes.set(xlabel="Share of people of whom it is the first reason")

    return figure(draw, height=4.4)


def features(registry: Registry, name: str) -> str:
    """Return what each feature of the version that serves tells, and how far it moved."""
    rows = registry.rows(
        """
        select feature, family, mutual_information, stability_index from training.model_features
        where model_name = ? and is_serving order by mutual_information desc, feature
        """,
        name,
    )
    if not rows:
        return nothing("It has no features that a label was asked of.")
    return table(["feature", "family", "mutual information, nats", "stability index"], rows)


def metrics(registry: Registry, name: str) -> str:
    """Return the metrics of each version, and of the baselines on the same rows."""
    rows = registry.rows(
        f"""
        select metrics.model_version, metrics.candidate, metrics.metric, metrics.is_published,
            avg(cast(metrics.metric_value as decimal(18, 9))), count(*)
        from training.model_metrics as metrics
        where model_name = ? and (is_published or candidate in {BASELINES})
        group by all
        order by min(metrics.as_of_date), model_version, is_published desc, candidate, metric
        """,
        name,
    )
    if not rows:
        return nothing("It was never trained.")
    names = list(dict.fromkeys(row[2] for row in rows))
    by_line: dict[tuple, dict] = {}
    for version, candidate, metric, _, mean, _ in rows:
        by_line.setdefault((version, candidate), {})[metric] = mean
    lines = [(*key, *(found.get(metric) for metric in names)) for key, found in by_line.items()]
    shown = "auc" if "auc" in names else names[0]
    versions = list(dict.fromkeys(row[0] for row in rows))

    def draw(axes):
        for candidate in dict.fromkeys(key[1] for key in by_line):
            points = [
                (number, by_line[version, candidate][shown])
                for number, version in enumerate(versions)
                if by_line.get((version, candidate), {}).get(shown) is not None
            ]
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", label=candidate)
        axes.set_xticks(range(len(versions)), versions, rotation=20)
        axes.set(ylabel=f"{shown}, mean out of time")
        axes.legend()

    return figure(draw) + table(["version", "candidate", *names], lines)


def page(registry: Registry, name: str) -> str:
    """Return the page of a model.

    Args:
        registry: what is known.
        name: of the model.
    """
    decisions = registry.rows(
        """
        select as_of_date, decision, model_version, reason from training.retraining_decisions
        where model_name = ? order by decision_number desc limit 20
        """,
        name,
    )
    performance = registry.rows(
        """
        select as_of_date, model_version, row_count, base_rate, mean_score, auc, training_auc,
            brier, calibration_error, lift_10
        from monitoring.model_performance where model_name = ? order by as_of_date
        """,
        name,
    )
    alerts = registry.rows(
        "select severity, check_name, part, message from monitoring.alerts"
        " where area = 'model' and subject = ? order by all",
        name,
    )
    sections = {
        "Alerts": table(["severity", "check", "part", "message"], alerts)
        if alerts
        else nothing("No limit is crossed."),
        "Lift": lift(registry, name),
        "Calibration": calibration(registry, name),
        "What was predicted, and what happened": table(
            PERFORMANCE,
            performance,
        )
        if performance
        else nothing("No past window has ended yet in which a version served."),
        "Drift": drift(registry, name),
        "Reasons": reasons(registry, name),
        "Features": features(registry, name),
        "Metrics by version": metrics(registry, name),
        "Decisions": table(["day", "decision", "version", "reason"], decisions),
    }
    body = "".join(f"<h2>{html.escape(title)}</h2>{text}" for title, text in sections.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{html.escape(name)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{html.escape(name)}</h1>{body}</body></html>\n"
    )


def write(folder: Path = FOLDER) -> list[Path]:
    """Write the pages and return their paths.

    Args:
        folder: where to; made where it is missing.

    Raises:
        SystemExit: in words, where there is no published database with models.
    """
    path = place("LETTERSHOP_PUBLISHED")
    if not path.exists():
        sys.exit(
            f"There is no published database at {path}: run `make build` first. Of a demo"
            " say which: make model-report DATA=complete_journey."
        )
    registry = Registry(path)
    try:
        names = registry.models()
    except duckdb.CatalogException:
        sys.exit(f"The published database at {path} has no models: run `make build` first.")
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for name in names:
        pages.append(folder / f"{name}.html")
        pages[-1].write_text(page(registry, name))
    return pages


if __name__ == "__main__":
    for written in write(*map(Path, sys.argv[1:2])):
        print(written)
