"""Show what a build made, in one screen: `python -m tools.summary`."""

import duckdb

from tools.places import place, plain_command

QUERIES = [
    (
        "Who are the champions, and why?",
        "select p.email, m.reason, m.exit_rule\n"
        "     from marts.segment_memberships m\n"
        "     join marts.customer_profiles p using (customer_key)\n"
        "     where m.segment_id = 'rfm_champions' limit 5;",
    ),
    (
        "From list value to net revenue, by month:",
        "select date_trunc('month', date_day) as month, sum(gross_amount) as gross,\n"
        "            sum(discount_amount) as discounts, sum(net_revenue_amount) as net\n"
        "     from marts.revenue_bridge group by all order by month;",
    ),
    (
        "Whom would a win-back reach?",
        "select lifecycle_stage, net_revenue_band, count(*) as people\n"
        "     from activation.esp_profiles where lifecycle_stage in ('cooling', 'lapsed')\n"
        "     group by all order by all;",
    ),
]
BAR_WIDTH = 30


def main() -> None:
    """Print counts, segments with a bar each, rejects, and where to look next."""
    published = place("LETTERSHOP_PUBLISHED")
    with duckdb.connect(str(published), read_only=True) as connection:

        def one(query: str):
            return connection.execute(query).fetchone()

        as_of, customers, profiled, contactable, orders, lines, revenue, raw, rejected = one(
            """
            select as_of_at, customer_count, profiled_count, contactable_count, valid_order_count,
                order_line_count, net_revenue_base_amount, raw_row_count, rejected_row_count
            from monitoring.build_runs order by built_at desc limit 1
            """
        )
        segments = connection.execute(
            """
            select family, segment_id, customer_count, customer_rate, is_too_small
            from marts.segment_sizes
            order by
                case family when 'purchase' then 1 when 'lifecycle' then 2 when 'rfm' then 3
                    when 'frequency' then 4 else 5 end,
                family, customer_count desc, segment_id
            """
        ).fetchall()
        reasons = connection.execute(
            """
            select landing_table, reject_reason, count(*)
            from monitoring.rejected_rows group by all order by 3 desc, 1, 2 limit 5
            """
        ).fetchall()
        days = connection.execute(
            "select threshold_id, fixed_days, suggested_days from segments.lifecycle_days"
            " where suggested_days is not null order by fixed_days"
        ).fetchall()

    print(f"\nAs of {as_of} UTC")
    print(
        f"  {customers:>13,} customers, {profiled:,} may be profiled,"
        f" {contactable:,} may be written to"
    )
    print(f"  {orders:>13,} valid orders with {lines:,} lines")
    print(f"  {revenue:>13,.2f} net revenue in base currency")
    print(f"  {rejected:>13,} of {raw:,} raw rows rejected")
    for table, reason, count in reasons:
        print(f"                  {count:,} x {table}: {reason}")
    family_before = None
    for family, segment, count, rate, is_too_small in segments:
        if family != family_before:
            print(f"\n{family}")
            family_before = family
        bar = "█" * round(float(rate) * BAR_WIDTH) or ("▏" if count else "")
        note = "  (under its minimum size)" if is_too_small and count else ""
        print(f"  {segment:<24}{count:>9,} {float(rate):>6.1%}  {bar}{note}")
    if days:
        print(
            "\nLifecycle days, fixed and as the shop's own rhythm suggests: "
            + ", ".join(f"{name} {fixed} / {suggested}" for name, fixed, suggested in days)
        )
    print(
        f"\nThe published database: {published}. Three queries to try, with `duckdb` or any client:"
    )
    for title, query in QUERIES:
        print(f"\n  -- {title}\n     {query}")
    print(f"\nThe same build without make:\n  {plain_command()}\n")


if __name__ == "__main__":
    main()
