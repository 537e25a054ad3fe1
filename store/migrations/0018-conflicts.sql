-- A conflict is an event now: what its repetition needs, and what the store that sent the later content is told. Null in rows of before.
alter table order_conflicts
  -- Counts the conflicts of an order from 1: the end of the event's id.
  add column n integer,
  add column store_id text,
  -- json, not jsonb: keeps the order of the keys, so that a repeated event is the same to the byte.
  add column reasons json,
  add column accepted_at timestamptz;
update order_conflicts c set n = numbered.n
from (select order_id, fingerprint, row_number() over (partition by order_id order by seen_at, fingerprint) as n from order_conflicts) numbered
where c.order_id = numbered.order_id and c.fingerprint = numbered.fingerprint;
alter table order_conflicts alter column n set not null;
create unique index order_conflicts_n on order_conflicts (order_id, n);
