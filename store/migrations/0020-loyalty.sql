-- One row for each event that earned points: the event's id makes a redelivery count once.
create table loyalty_ledger (
  event_id text primary key,
  customer_id text not null,
  order_id uuid not null,
  points bigint not null check (points >= 0),
  occurred_at timestamptz not null,
  credited_at timestamptz not null default now()
);

create index loyalty_ledger_by_customer on loyalty_ledger (customer_id) include (points);

-- The balance is what the ledger adds up to; no second number that could differ from it.
create view loyalty_balances as
  select customer_id, sum(points)::bigint as points, count(*) as orders
  from loyalty_ledger
  group by customer_id;

-- Messages that were acknowledged although nothing could be made of them, with everything needed to look into it.
create table loyalty_refused (
  message_id text primary key,
  reason text not null,
  data bytea,
  -- json rather than jsonb, which refuses \u0000: whatever came has to fit in here.
  attributes json not null,
  refused_at timestamptz not null default now()
);
