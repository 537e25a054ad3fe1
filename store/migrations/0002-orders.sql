-- One row per decided order: what a redelivery needs to repeat its event.
create table orders (
  order_id uuid primary key,
  store_id text not null,
  decision text not null check (decision in ('validated', 'rejected')),
  -- json, not jsonb: keeps the order of the keys, so that a repeated event is the same to the byte.
  reasons json,
  total integer not null,
  currency text not null,
  -- Pieces taken from stock, 0 if rejected; their sums per store balance the shelves.
  pieces integer not null,
  fingerprint text not null,
  placed_at timestamptz not null,
  accepted_at timestamptz not null,
  decided_at timestamptz not null
);
create index orders_decided_at on orders using brin (decided_at);

-- The same orderId with other content: kept for people, without effect on the order.
create table order_conflicts (
  order_id uuid not null,
  fingerprint text not null,
  topic text not null,
  partition integer not null,
  record_offset bigint not null,
  seen_at timestamptz not null default now(),
  primary key (order_id, fingerprint)
);

-- Orders per customer or card in a window of event time. `who` is a hash: no token is kept. Unlogged: after a crash of the database
-- the counting starts anew, while every decision stays as it was.
create unlogged table velocity (
  window_start bigint not null,
  who bigint not null,
  orders integer not null,
  primary key (window_start, who)
) with (fillfactor = 80);
