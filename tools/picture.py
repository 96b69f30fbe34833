"""Draw the README's picture: what a build knows of customers, and how well its models tell.

    python -m tools.picture <file.svg>

Reads the published database (LETTERSHOP_PUBLISHED) and nothing else; the same database gives the
same bytes.
"""

import sys
from pathlib import Path

import matplotlib

from tools.model_report import Registry
from tools.places import place

matplotlib.use("Agg")
from matplotlib import pyplot

PALE, DARK, GREY = "#e8eef4", "#1f4e79", "#999999"
CELLS = """
    select
        recency_score, frequency_score, count(*),
        replace(replace(rfm_segment, 'rfm_', ''), '_', ' ')
    from marts.customer_profiles
    where rfm_segment is not null
    group by recency_score, frequency_score, rfm_segment
    order by recency_score, frequency_score, rfm_segment
"""
# Of each model the fit that serves, over the cutoffs in time that it had not seen.
RANKINGS = """
    select
        metrics.model_name,
        avg(metric_value) filter (where candidate = 'rfm_score') as ranking,
        avg(metric_value) filter (where metrics.is_published) as published
    from training.model_metrics as metrics
    inner join training.model_versions as versions
        on metrics.model_version = versions.model_version
        and metrics.model_name = versions.model_name
        and versions.is_serving
    where metric = 'auc' and cutoff_date is not null
    group by metrics.model_name
    having published is not null and ranking is not null
    order by published, metrics.model_name
"""


def draw_cells(axes, cells: list[tuple]) -> None:
    """Draw customers by recency and frequency, each cell with its segment.

    Args:
        axes: to draw on.
        cells: recency score, frequency score, customers, name of the segment.
    """
    most = max(count for _, _, count, _ in cells)
    colours = matplotlib.colors.LinearSegmentedColormap.from_list("cells", [PALE, DARK])
    for recency, frequency, count, name in cells:
        axes.add_patch(
            pyplot.Rectangle(
                (recency - 0.5, frequency - 0.5), 1, 1, color=colours(count / most), linewidth=0
            )
        )
        ink = "white" if count > most / 2 else "black"
        axes.text(
            recency,
            frequency,
            f"{name}\n{count:,}",
            ha="center",
            va="center",
            color=ink,
            fontsize=7,
        )
    axes.set(xlim=(0.5, 5.5), ylim=(0.5, 5.5), xticks=range(1, 6), yticks=range(1, 6))
    axes.set(xlabel="recency score", ylabel="frequency score", title="Customers by RFM segment")


def draw_rankings(axes, rankings: list[tuple]) -> None:
    """Draw the AUC of each model beside that of the RFM score.

    Args:
        axes: to draw on.
        rankings: name of the model, AUC of the RFM score, AUC of what serves.
    """
    for line, (_, ranking, published) in enumerate(rankings):
        axes.plot([ranking, published], [line, line], color=PALE, linewidth=3, zorder=1)
        axes.scatter(ranking, line, color=GREY, label="RFM score" if not line else None)
        axes.scatter(published, line, color=DARK, label="the model" if not line else None)
    axes.set_yticks(range(len(rankings)), [name for name, _, _ in rankings])
    axes.set(xlabel="AUC on later days", title="What models add to the RFM score")
    axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def write(database: Path, file: Path) -> None:
    """Draw both and write them as SVG.

    Args:
        database: the published one, of a build that trained models.
        file: to write.
    """
    registry = Registry(database)
    with matplotlib.rc_context({"svg.hashsalt": "lettershop", "svg.fonttype": "path"}):
        plot, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
        draw_cells(left, registry.rows(CELLS))
        draw_rankings(right, registry.rows(RANKINGS))
        file.parent.mkdir(parents=True, exist_ok=True)
        plot.savefig(file, format=file.suffix[1:], metadata={"Date": None})
        pyplot.close(plot)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(place("LETTERSHOP_PUBLISHED"), Path(sys.argv[1]))
