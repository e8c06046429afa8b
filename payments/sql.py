"""What is written out in SQL: PostgreSQL and SQLite take it as it is."""

# What came in and went back, shared among the items of the order that it belongs to by what they cost, with the largest
# remainders: the same shares as `payments.spreading.spread` gives. A refund that names items is shared among these.
# Without an order the course is null. Times: from, before; both once for each kind.
MONEY_BY_COURSE = """
WITH moved AS (
  SELECT 'gross' AS kind, p.id AS source, p.order_id, p.amount_minor - p.discount_minor AS amount
    FROM payments_payment p
   WHERE p.currency = %(currency)s AND p.paid_at >= %(start)s AND p.paid_at < %(end)s
     AND (p.status IN (2, -2) OR p.failure_code IN ('user_gone', 'order_gone'))
   UNION ALL
  SELECT 'refunded', r.id, p.order_id, r.amount_minor
    FROM payments_refund r JOIN payments_payment p ON p.id = r.payment_id
   WHERE r.currency = %(currency)s AND r.created_at >= %(start)s AND r.created_at < %(end)s
     AND r.status IN ('pending', 'requires_action', 'succeeded') AND r.stripe_id IS NOT NULL
     AND p.failure_code <> 'mismatch'
   UNION ALL
  SELECT 'lost', d.id, p.order_id, d.amount_minor
    FROM payments_dispute d JOIN payments_payment p ON p.id = d.payment_id
   WHERE d.currency = %(currency)s AND d.created_at >= %(start)s AND d.created_at < %(end)s
     AND d.status = 'lost' AND p.failure_code <> 'mismatch'
), weighed AS (
  SELECT m.kind, m.source, m.amount, i.id AS item, i.course_id,
         CAST(m.amount AS BIGINT) * i.net_minor AS weight,
         SUM(i.net_minor) OVER (PARTITION BY m.kind, m.source) AS total
    FROM moved m LEFT JOIN payments_orderitem i ON i.order_id = m.order_id AND (
           m.kind <> 'refunded'
           OR NOT EXISTS (SELECT 1 FROM payments_refunditem n WHERE n.refund_id = m.source)
           OR EXISTS (SELECT 1 FROM payments_refunditem n WHERE n.refund_id = m.source AND n.item_id = i.id))
), cut AS (
  SELECT kind, source, amount, item, course_id,
         CASE WHEN total > 0 THEN weight / total ELSE 0 END AS share,
         CASE WHEN total > 0 THEN weight %% total ELSE 0 END AS remainder,
         COALESCE(total, 0) AS total
    FROM weighed
), placed AS (
  SELECT kind, amount, course_id, share, total,
         ROW_NUMBER() OVER (PARTITION BY kind, source ORDER BY remainder DESC, item) AS place,
         amount - SUM(share) OVER (PARTITION BY kind, source) AS rest
    FROM cut
)
SELECT course_id, kind,
       SUM(CASE WHEN total > 0 THEN share + CASE WHEN place <= rest THEN 1 ELSE 0 END
                WHEN place = 1 THEN amount ELSE 0 END)
  FROM placed GROUP BY course_id, kind
"""
