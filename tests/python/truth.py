"""What was found out about a simulated shop, held against the truth about it.

Each function takes a connection to a working database (state attached as `state`) and the folder
of the truth, and returns figures.
"""

from datetime import datetime, timedelta
from pathlib import Path

import duckdb

# Identifiers of one person, as truth has them and as staging writes them.
IDENTIFIERS = """
    create or replace temp table truly as
    select identifier_type, identifier, min(person_id) as person_id
    from '{truth}/identifiers.parquet'
    group by all
    having count(distinct person_id) = 1;
    create or replace temp table found as
    select identifier_type, identifier, customer_key from core.dim_identifiers;
"""


def identity(connection: duckdb.DuckDBPyConnection, truth: Path) -> dict[str, float]:
    """Return precision and recall over pairs of identifiers, and how many pairs there were.

    Recall is over the pairs that a perfect resolver could link (`linkable`: a person's identifiers
    that rows of the landing connect); precision over the pairs that were given one customer, of
    identifiers that one person has.
    """
    connection.execute(IDENTIFIERS.format(truth=truth))
    linkable, linked = connection.execute(
        f"""
        select count(*), count(case when left_found.customer_key = right_found.customer_key
            then 1 end)
        from '{truth}/linkable.parquet' as left_end
        inner join '{truth}/linkable.parquet' as right_end
            on left_end.person_id = right_end.person_id
            and left_end.component_id = right_end.component_id
            and left_end.identifier_type || left_end.identifier
                < right_end.identifier_type || right_end.identifier
        left join found as left_found
            on left_end.identifier_type = left_found.identifier_type
            and left_end.identifier = left_found.identifier
        left join found as right_found
            on right_end.identifier_type = right_found.identifier_type
            and right_end.identifier = right_found.identifier
        """
    ).fetchone()
    given, right = connection.execute(
        """
        with owned as (
            select found.*, truly.person_id
            from found inner join truly using (identifier_type, identifier)
        )
        select count(*), count(case when left_end.person_id = right_end.person_id then 1 end)
        from owned as left_end
        inner join owned as right_end
            on left_end.customer_key = right_end.customer_key
            and left_end.identifier_type || left_end.identifier
                < right_end.identifier_type || right_end.identifier
        """
    ).fetchone()
    return {
        "precision": right / given,
        "recall": linked / linkable,
        "pairs given": given,
        "pairs linkable": linkable,
    }


def whole_people(connection: duckdb.DuckDBPyConnection, truth: Path) -> dict[int, str]:
    """Return the people whose customer is exactly they, person to customer_key.

    All identifiers of the person that occur are in one customer, and no other is in it.
    """
    connection.execute(IDENTIFIERS.format(truth=truth))
    return dict(
        connection.execute(
            f"""
            with everyone as (
                select identifier_type, identifier, person_id
                from '{truth}/identifiers.parquet'
                where identifier_type <> 'phone'
            ),
            seen as (
                select found.customer_key, everyone.person_id
                from found inner join everyone using (identifier_type, identifier)
            ),
            -- A device or an address that we do not know to be theirs, or that is not theirs alone.
            lost as (
                select everyone.person_id
                from everyone
                left join found using (identifier_type, identifier)
                left join truly using (identifier_type, identifier)
                where found.customer_key is null or truly.person_id is null
            )
            select person_id, min(customer_key)
            from seen
            where person_id not in (select person_id from lost)
            group by person_id
            having count(distinct customer_key) = 1
                and min(customer_key) not in (
                    select customer_key from seen group by 1 having count(distinct person_id) > 1
                )
            """
        ).fetchall()
    )


def open_kinds(connection: duckdb.DuckDBPyConnection, truth: Path) -> dict[tuple[str, str], int]:
    """Return how many opens and clicks of each true kind were taken as what."""
    return {
        (true_kind, kind): count
        for true_kind, kind, count in connection.execute(
            f"""
            select true_kind, kind, count(*)
            from core.fct_message_reactions
            inner join '{truth}/opens.parquet' using (event_id)
            group by all order by all
            """
        ).fetchall()
    }


def interest(connection: duckdb.DuckDBPyConnection, truth: Path) -> float:
    """Return Spearman's rank correlation of the e-mail score with the true propensity to open."""
    connection.execute(IDENTIFIERS.format(truth=truth))
    return connection.execute(
        f"""
        with scored as (
            select distinct people.person_id, people.open_rate, scores.email_score
            from segments.engagement_scores as scores
            inner join found on scores.customer_key = found.customer_key
            inner join truly using (identifier_type, identifier)
            inner join '{truth}/people.parquet' as people on truly.person_id = people.person_id
            where scores.email_score is not null
        ),
        ranked as (
            select
                rank() over (order by open_rate) + (count(*) over (partition by open_rate) - 1) / 2
                    as true_rank,
                rank() over (order by email_score)
                    + (count(*) over (partition by email_score) - 1) / 2 as score_rank
            from scored
        )
        select corr(true_rank, score_rank) from ranked
        """
    ).fetchone()[0]


def open_carts(landing: Path, truth: Path, clock: str) -> dict[int, set[str]]:
    """Return the carts that each person left, worked out from raw rows and who really acted.

    A plain loop over events in order of time: something is in the cart, no order names it, and its
    owner has ordered nothing since something was last put in.
    """
    events = duckdb.execute(
        f"""
        select distinct on (event_id)
            trim(cart_id), lower(event_type), product_id, coalesce(quantity, 1), occurred_at,
            person_id, is_tracking_allowed
        from '{landing}/web_events.parquet' as landed
        inner join '{truth}/web_events.parquet' as truly using (event_id)
        where cart_id is not null and occurred_at < timestamp '{clock}'
            and coalesce(quantity, 1) >= 0 and coalesce(unit_price, 0) >= 0
            and coalesce(is_tracking_allowed, true)
        order by event_id, loaded_at desc
        """
    ).fetchall()
    orders = duckdb.execute(
        f"""
        select distinct on (order_id) person_id, ordered_at, cart_id
        from '{landing}/shop_orders.parquet' as landed
        inner join (select order_id, person_id from '{truth}/orders.parquet') as truly
            using (order_id)
        where ordered_at < timestamp '{clock}' and total_amount >= 0
            and not coalesce(is_test, false)
        order by order_id
        """
    ).fetchall()
    ordered_carts = {cart for _, _, cart in orders if cart}
    orders_of: dict[int, list] = {}
    for person, ordered_at, _ in orders:
        orders_of.setdefault(person, []).append(ordered_at)
    carts: dict[str, dict] = {}
    for cart, kind, product, quantity, at, person, _ in sorted(events, key=lambda row: row[4]):
        state = carts.setdefault(cart, {"content": {}, "last": None, "by": person, "done": False})
        if kind == "add_to_cart":
            state["content"][product] = state["content"].get(product, 0) + quantity
            state["last"] = at
        elif kind == "remove_from_cart":
            left = state["content"].get(product, 0) - quantity
            state["content"][product] = max(left, 0)
        elif kind == "order_placed":
            state["done"] = True
    left: dict[int, set[str]] = {}
    for cart, state in carts.items():
        if (
            state["last"] is not None
            and not state["done"]
            and cart not in ordered_carts
            and any(quantity > 0 for quantity in state["content"].values())
            and not any(at >= state["last"] for at in orders_of.get(state["by"], []))
        ):
            left.setdefault(state["by"], set()).add(cart)
    return left


def unbought_products(landing: Path, truth: Path, clock: datetime) -> dict[int, set[str]]:
    """Return the products each person viewed in 14 days, longer ago than 48 hours, and not bought.

    Of a product bought before, only later views count. Worked out from raw rows and who acted.

    Args:
        landing: the landing tables.
        truth: the truth about them.
        clock: UTC; must be midnight in the shop's time zone, here without a change of hours.
    """
    views = duckdb.execute(
        f"""
        select distinct on (event_id) person_id, product_id, occurred_at
        from '{landing}/web_events.parquet' as landed
        inner join '{truth}/web_events.parquet' as truly using (event_id)
        where event_type = 'product_view' and product_id is not null
            and coalesce(is_tracking_allowed, true)
            and occurred_at < timestamp '{clock}'
            and occurred_at >= timestamp '{clock}' - interval 14 days
            and coalesce(unit_price, 0) >= 0 and coalesce(quantity, 0) >= 0
        order by event_id, loaded_at desc
        """
    ).fetchall()
    bought = {
        (person, product): ordered_at
        for person, product, ordered_at in duckdb.execute(
            f"""
            with versions as (
                select distinct on (order_id) order_id, ordered_at, cancelled_at, is_test
                from '{landing}/shop_orders.parquet'
                where total_amount >= 0 and ordered_at < timestamp '{clock}'
                order by order_id, updated_at desc, loaded_at desc
            )
            select person_id, product_id, max(versions.ordered_at)
            from versions
            inner join '{landing}/shop_order_lines.parquet' as lines using (order_id)
            inner join (select order_id, person_id from '{truth}/orders.parquet') as truly
                using (order_id)
            where not coalesce(is_test, false)
                and coalesce(cancelled_at >= timestamp '{clock}', true)
            group by all
            """
        ).fetchall()
    }
    sold = {
        row[0]
        for row in duckdb.execute(
            f"""
            select distinct on (product_id) product_id, is_active, product_type,
                lower(coalesce(category, '')) as category, lower(coalesce(subcategory, '')) as sub
            from '{landing}/shop_products.parquet'
            order by product_id, updated_at desc, loaded_at desc
            """
        ).fetchall()
        if row[1] is not False
        and (row[2] or "goods") in ("goods", "service")
        and "intimate health" not in row[3:]
    }
    first_seen: dict[tuple[int, str], datetime] = {}
    for person, product, at in sorted(views, key=lambda row: row[2]):
        if product in sold and at > bought.get((person, product), datetime.min):
            first_seen.setdefault((person, product), at)
    found: dict[int, set[str]] = {}
    for (person, product), at in first_seen.items():
        if at + timedelta(hours=48) <= clock:
            found.setdefault(person, set()).add(product)
    return found
