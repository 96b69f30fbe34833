"""SQL of scores: expressions that the engine evaluates over the feature table.

No row of a customer comes into Python. What a model says is a few hundred numbers, which are
written into the expressions with all their digits.
"""

from lettershop_ml import engine, terms

REASONS = 3
# Population columns of model_targets, and the raw column and comparison that each stands for.
POPULATION = {
    "target_active_within_days": ("recency_days", "<="),
    "target_min_purchased_before": ("purchased_before", ">="),
    "target_min_orders_90d": ("order_count_90d", ">="),
    "target_min_spend_90d": ("net_revenue_90d", ">="),
    "target_min_email_responses_90d": ("email_responses_90d", ">="),
}


def population(request: dict) -> list[tuple[str, str]]:
    """Return what must hold for a customer to be scored, as SQL, each with what fails in words.

    Args:
        request: the model's row of training_requests.
    """
    words = {
        "target_active_within_days": "no order in the last {} days",
        "target_min_purchased_before": "no order yet",
        "target_min_orders_90d": "fewer than {} orders in 90 days",
        "target_min_spend_90d": "less than {} spent in 90 days",
        "target_min_email_responses_90d": "no response to e-mail in 90 days",
    }
    rules = []
    # Who never bought is told so, not that the last order is long ago.
    for name in sorted(POPULATION, key=lambda name: name != "target_min_purchased_before"):
        limit = request.get(name)
        if limit is not None:
            column, comparison = POPULATION[name]
            rules.append(
                (
                    f"{column} {comparison} {terms.number(float(limit))}",
                    words[name].format(f"{float(limit):g}"),
                )
            )
    return rules


def families_of(model: terms.Additive, families: dict[str, str]) -> dict[str, list[str]]:
    """Return the model's features by family, both in alphabetical order.

    Args:
        model: the terms.
        families: feature to family.
    """
    by_family: dict[str, list[str]] = {}
    for name in sorted(model.pieces):
        by_family.setdefault(families.get(name, "other"), []).append(name)
    return dict(sorted(by_family.items()))


def contribution_columns(model: terms.Additive, families: dict[str, str]) -> dict[str, str]:
    """Return family to the SQL of its contribution, a double."""
    return {
        family: " + ".join(terms.piece_sql(model.pieces[name], name) for name in names)
        for family, names in families_of(model, families).items()
    }


def logit_sql(model: terms.Additive) -> str:
    """Return the SQL of a model's logit, a double, over the columns of its features."""
    parts = [terms.piece_sql(model.pieces[name], name) for name in sorted(model.pieces)]
    return " + ".join([terms.number(model.intercept), *parts])


def _null_columns() -> list[str]:
    columns = ["cast(null as decimal(6, 5)) as score", "cast(null as integer) as decile"]
    columns += ["cast(null as double) as logit", "cast(null as double) as intercept"]
    for number in range(1, REASONS + 1):
        columns.append(f"cast(null as varchar) as family_{number}")
        columns.append(f"cast(null as double) as contribution_{number}")
    return [*columns, "cast(null as double) as other_contribution"]


def scored(
    relation,
    request: dict,
    serving: dict | None,
    families: dict[str, str],
    deciles: list[float],
    bands: list[tuple[str, float]],
):
    """Return a relation of one model's logits and reasons, to be evaluated by the engine.

    Args:
        relation: features of today, of the model's grain.
        request: the model's row of training_requests.
        serving: model_version, model (Additive); None where there is none, then why.
        families: feature to family.
        deciles: the nine of the logits in the training sample.
        bands: names and the logit from which each holds, ascending; the first from -inf.

    Returns:
        A relation with model_name, model_version, customer_key, item_id, as_of_date,
        unknown_reason, band, score, decile, logit, intercept, and of the three families that move
        the logit most their name and contribution, a multiple of 1e-9; other_contribution is what
        is left, so that all of them add up to the logit.
    """
    grain = request["target_grain"]
    item = "item_id" if grain != "customer" else "cast('' as varchar) as item_id"
    version = serving and serving["model_version"]
    keys = [
        f"cast({engine.text(request['model_name'])} as varchar) as model_name",
        f"cast({engine.text(version) if version else 'null'} as varchar) as model_version",
        "customer_key",
        item,
        "as_of_date",
    ]
    if not version:
        why = serving["reason"] if serving else "there is no version of the model yet"
        return engine.project(
            relation,
            [
                *keys,
                f"cast({engine.text(why)} as varchar) as unknown_reason",
                "cast('unknown' as varchar) as band",
                *_null_columns(),
            ],
        )
    model = serving["model"]
    rules = population(request) if grain == "customer" else []
    unknown = "cast(null as varchar)"
    if rules:
        cases = " ".join(f"when not ({rule}) then {engine.text(why)}" for rule, why in rules)
        unknown = f"cast(case {cases} end as varchar)"
    contributions = contribution_columns(model, families)
    names = list(contributions)
    parts = [f"part_{number}" for number in range(len(names))]
    step = engine.project(
        relation,
        [*keys, f"{unknown} as unknown_reason"]
        + [f"{sql} as {part}" for part, sql in zip(parts, contributions.values(), strict=True)],
    )
    passed = ["model_name", "model_version", "customer_key", "item_id", "as_of_date"]
    passed += ["unknown_reason"]
    intercept = terms.number(model.intercept)
    total = " + ".join([intercept, *parts])
    # A family as one whole number: its size in 1e-9, its place, its sign. The greatest is the
    # first reason; of equal sizes the first in the alphabet.
    codes = [
        f"cast(round(abs({part}) * 1e9) as bigint) * 128 + {2 * (63 - number)}"
        f" + case when {part} < 0 then 1 else 0 end as code_{number}"
        for number, part in enumerate(parts)
    ]
    step = engine.project(step, [*passed, f"{total} as logit", *codes])
    coded = [f"code_{number}" for number in range(len(parts))]
    for number in range(1, REASONS + 1):
        bound = f"top_{number - 1}" if number > 1 else None
        candidates = [
            f"case when {code} < {bound} then {code} else -1 end" if bound else code
            for code in coded
        ]
        kept = ["logit", *coded, *(f"top_{before}" for before in range(1, number))]
        step = engine.project(
            step, [*passed, *kept, f"greatest(-1, {', '.join(candidates) or '-1'}) as top_{number}"]
        )
    return engine.project(step, [*passed, *_decoded(names, intercept, deciles, bands)])


def _decoded(names: list[str], intercept: str, deciles, bands) -> list[str]:
    """Return the columns from band to other_contribution, over logit and top_1, top_2, top_3."""

    def known(sql: str, kind: str) -> str:
        return f"cast(case when unknown_reason is null then {sql} end as {kind})"

    limits = " ".join(
        f"when logit >= {terms.number(limit)} then {engine.text(band)}"
        for band, limit in reversed(bands)
    )
    band = f"case when unknown_reason is not null then 'unknown' {limits} else 'unknown' end"
    tenths = "".join(
        f" when logit >= {terms.number(limit)} then {place}"
        for place, limit in reversed(list(enumerate(deciles, start=2)))
    )
    decile = f"case{tenths} else 1 end" if deciles else "1"
    columns = [
        f"cast({band} as varchar) as band",
        f"{known('round(1 / (1 + exp(-logit)), 5)', 'decimal(6, 5)')} as score",
        f"{known(decile, 'integer')} as decile",
        f"{known('logit', 'double')} as logit",
        f"{known(intercept, 'double')} as intercept",
    ]
    left = f"logit - {intercept}"
    for number in range(1, REASONS + 1):
        top = f"top_{number}"
        size = f"cast(floor({top} / 1.28e2) as bigint)"
        family = " ".join(
            f"when {2 * (63 - place)} then {engine.text(name)}" for place, name in enumerate(names)
        )
        said = f"case when {top} >= 128 then case {top} % 128 - {top} % 2 {family} end end"
        signed = (
            f"case when {top} < 128 then 0e0 when {top} % 2 = 1 then -({size} / 1e9)"
            f" else {size} / 1e9 end"
        )
        if not names:
            said, signed = "cast(null as varchar)", "0e0"
        columns.append(f"{known(said, 'varchar')} as family_{number}")
        columns.append(f"{known(signed, 'double')} as contribution_{number}")
        left += f" - ({signed})"
    return [*columns, f"{known(left, 'double')} as other_contribution"]


def personas(relation, serving: dict | None):
    """Return a relation of each buyer's persona, to be evaluated by the engine.

    The nearest centroid is that of the least |c|^2 / 2 - c.z: linear in the standardised and
    clipped features z, so that no distance has to be taken.

    Args:
        relation: customer_features.
        serving: model_version, features (dicts of feature, mean, scale) with the bound `clip`,
            and personas (dicts of persona_id, offset, weights); None or without model_version
            where there is none, then reason.
    """
    keys = ["customer_key", "as_of_date"]
    version = serving and serving.get("model_version")
    if not version:
        why = serving["reason"] if serving else "there is no version of the model yet"
        return engine.project(
            relation,
            [
                *keys,
                "cast(null as varchar) as model_version",
                "cast(null as varchar) as persona_id",
                f"cast({engine.text(why)} as varchar) as unknown_reason",
            ],
        )
    clip = terms.number(float(serving["clip"]))
    scaled = []
    for number, entry in enumerate(serving["features"]):
        moved = (
            f"({entry['feature']} - {terms.number(entry['mean'])}) / {terms.number(entry['scale'])}"
        )
        scaled.append(f"least(greatest({moved}, -{clip}), {clip}) as z_{number}")
    step = engine.project(relation, [*keys, "purchased_before", *scaled])
    distances = []
    for number, persona in enumerate(serving["personas"]):
        parts = [terms.number(persona["offset"])] + [
            f"({terms.number(-weight)}) * z_{place}"
            for place, weight in enumerate(persona["weights"])
        ]
        distances.append(f"{' + '.join(parts)} as far_{number}")
    step = engine.project(step, [*keys, "purchased_before", *distances])
    far = [f"far_{number}" for number in range(len(serving["personas"]))]
    least = f"least({', '.join(far)})"
    cases = " ".join(
        f"when {name} = nearest then {engine.text(persona['persona_id'])}"
        for name, persona in zip(far, serving["personas"], strict=True)
    )
    step = engine.project(step, [*keys, "purchased_before", *far, f"{least} as nearest"])
    return engine.project(
        step,
        [
            *keys,
            f"cast({engine.text(version)} as varchar) as model_version",
            f"cast(case when purchased_before >= 1 then case {cases} end end as varchar)"
            " as persona_id",
            "cast(case when purchased_before < 1 then 'no order yet' end as varchar)"
            " as unknown_reason",
        ],
    )
