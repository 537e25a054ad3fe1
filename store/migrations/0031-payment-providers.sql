-- The simulated provider refunds, and lists what has moved. Charges of earlier versions have no order_id; their key is the order's.
alter table simulated_provider.charges add column order_id text;
create table simulated_provider.refunds (
  idempotency_key text primary key,
  charge_key text not null references simulated_provider.charges,
  order_id text not null,
  amount integer not null check (amount > 0),
  currency text not null,
  reference text not null,
  created_at timestamptz not null default now()
);
create index on simulated_provider.refunds (charge_key);
-- Rows come in about the order of time, so an index of ranges is enough, and it costs almost nothing.
create index on simulated_provider.charges using brin (created_at);
