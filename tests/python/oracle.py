"""What could be known at best of who orders in the simulated shop, given the past.

demo/simulator/README.md says how people order. Given the day of dropout, orders are a Poisson
process in the time of the season, of a rate lambda that is Gamma-distributed over people, and the
days until dropout have known chances. With the population's true parameters the chance of an order
is thus a sum over days of dropout (Pareto/NBD: Schmittlein, Morrison & Colombo, Counting Your
Customers, Management Science 33 (1987), in the time of the season). Visits are a second process
that ends with the same dropout.
"""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd


def read(truth: Path, sql: str) -> pd.DataFrame:
    """Return rows of the truth; a table is named in braces.

    Args:
        truth: its folder.
        sql: one select, with tables like {orders}.
    """
    tables = {path.stem: f"'{path}'" for path in truth.glob("*.parquet")}
    return duckdb.execute(sql.format(**tables)).df()


class Oracle:
    """Chances of an order, for everyone who had ordered by a day.

    Attributes:
        people: person_id, in the order of all arrays.
        chance: of an order within the window.
        label: 1 where there was one that was not cancelled within it.
        days_since: days since the last order; 1 is yesterday.
    """

    def __init__(
        self, truth: Path, opening: date, cutoff: date, horizon: int, with_visits: bool = True
    ):
        """Take the posterior at a day.

        Args:
            truth: folder of the truth.
            opening: the shop's first day.
            cutoff: the first day that is not known.
            horizon: days from it on.
            with_visits: whether visits to the site count, too.
        """
        values = read(truth, "select name, value from {parameters}").set_index("name")["value"]
        today, end = (cutoff - opening).days, (cutoff - opening).days + horizon
        days = [opening + timedelta(days=day) for day in range(end)]
        season = np.array([values[f"season_{day}"] for day in days])
        people = read(
            truth,
            f"""
            select person_id, kind, entry_day_no as entry, first_day, last_day, order_count,
                has_label, coalesce(visit_count, 0) as visits, coalesce(last_visit, -1) as visited
            from {{people}}
            inner join (
                select person_id,
                    min(day_no) as first_day,
                    max(case when day_no < {today} then day_no end) as last_day,
                    count(case when day_no < {today} then 1 end) as order_count,
                    coalesce(
                        bool_or(
                            day_no >= {today} and day_no < {end}
                            and coalesce(
                                cancelled_at >= timestamp '{cutoff + timedelta(days=horizon)}', true
                            )
                        ), false
                    ) as has_label
                from {{orders}} group by person_id
            ) using (person_id)
            left join (
                select person_id, count(*) as visit_count, max(day) as last_visit
                from (
                    select distinct person_id,
                        cast(occurred_at + interval 1 hour as date) - date '{opening}' as day
                    from {{web_events}}
                    inner join '{truth.parent}/landing/web_events.parquet' using (event_id)
                ) where day < {today} group by person_id
            ) using (person_id)
            where first_day < {today} and erased_at is null
            order by person_id
            """,
        )
        self.people = people["person_id"].to_numpy()
        self.label = people["has_label"].to_numpy(float)
        self.days_since = today - people["last_day"].to_numpy()
        place = pd.Series(np.arange(len(people)), index=self.people)
        effect = self._effects(truth, opening, today, values, place)
        # What is expected to be sent in the window is what was of late.
        lately = effect[:, max(0, today - 112) : today].mean(axis=1, keepdims=True)
        entry, first = people["entry"].to_numpy(), people["first_day"].to_numpy()
        passed = np.cumsum(season[:today] * (1 + effect), axis=1)
        before = passed[np.arange(len(first)), first]
        ahead = np.cumsum(season[today:] * (1 + lately), axis=1)

        # Of the posterior of lambda the shape, and the rate but for the time at risk.
        shape = 0.5 + people["order_count"].to_numpy() - 1
        rate = 0.5 / values["repeat_rate_mean"]
        last = np.maximum(people["last_day"], people["visited"] if with_visits else -1).to_numpy()
        starts = entry + people["kind"].isin(["account", "guest"]).to_numpy()
        seen = np.concatenate([[0.0], np.cumsum(season[:today])])
        visits = people["visits"].to_numpy()

        def reached(day):
            return 1 / (1 + np.maximum(day - entry, 0) * values["dropout_rate_mean"])

        def log_likelihood(at_risk, looked):
            found = -shape * np.log(rate + np.maximum(at_risk, 0))
            if with_visits:
                browsing = 1 / values["browse_rate_mean"] + np.maximum(looked, 0)
                found -= (1 + visits) * np.log(browsing)
            return found

        at_risk = passed[:, -1] - before
        at_last = passed[np.arange(len(first)), last] - before
        top = log_likelihood(at_last, seen[last + 1] - seen[starts])
        total, none = np.zeros(len(first)), np.zeros(len(first))
        # Whose last day was before yesterday orders no more.
        for day in range(int(last.min()), today - 1):
            looked = seen[day + 1] - seen[starts]
            weight = np.exp(log_likelihood(passed[:, day] - before, looked) - top)
            weight *= np.where(day >= last, reached(day) - reached(day + 1), 0)
            total, none = total + weight, none + weight
        weight = np.exp(log_likelihood(at_risk, seen[-1] - seen[starts]) - top)
        # Who was there yesterday: the last day is yesterday, one of the window, or later.
        for day in range(today - 1, end):
            chance = reached(day) - (reached(day + 1) if day < end - 1 else 0)
            window = ahead[:, day - today] if day >= today else 0
            stays = ((rate + at_risk) / (rate + at_risk + window)) ** shape
            total, none = total + chance * weight, none + chance * weight * stays
        self.chance = 1 - none / total

    @staticmethod
    def _effects(truth: Path, opening: date, today: int, values, place) -> np.ndarray:
        """Return by person and day how much messages raise the rate."""
        sent = read(
            truth,
            f"""
            select person_id, cast(sent_at + interval 1 hour as date) - date '{opening}' as day,
                case when campaign_id like 'nl-%' then 'newsletter_' else 'promo_' end || variant
                    as effect
            from {{messages}}
            where delivered_at is not null
                and (campaign_id like 'nl-%' or campaign_id like 'promo-%')
            """,
        )
        effect = np.zeros((len(place), today))
        sent = sent[sent["person_id"].isin(place.index) & (sent["day"] < today)]
        rows = place.loc[sent["person_id"]].to_numpy()
        sizes = values.loc["effect_" + sent["effect"]].to_numpy(float)
        for later in range(int(values["effect_days"])):
            days = sent["day"].to_numpy() + later
            inside = days < today
            np.add.at(effect, (rows[inside], days[inside]), sizes[inside])
        return effect
