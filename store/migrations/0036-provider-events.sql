-- What the payment provider told by webhook, each event once. No payloads: they may hold names and addresses of guests.
create table provider_events (
  event_id text primary key,
  provider text not null,
  type text not null,
  -- The provider's own time.
  occurred_at timestamptz not null,
  received_at timestamptz not null default now(),
  -- Known for refunds and disputes of orders.
  order_id text,
  reference text,
  amount integer,
  currency text
);
create index on provider_events (received_at);

create table disputes (
  reference text primary key,
  provider text not null,
  order_id text,
  charge_reference text,
  amount integer not null,
  currency text not null,
  reason text not null,
  status text not null,
  opened_at timestamptz not null,
  -- Until then the provider takes evidence.
  due_by timestamptz,
  closed_at timestamptz,
  -- The provider's time of the newest event that is in this row.
  told_at timestamptz not null
);
