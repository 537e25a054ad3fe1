create table payments (
  order_id uuid primary key,
  store_id text not null,
  status text not null check (status in ('paid', 'failed')),
  method text not null,
  amount integer not null,
  currency text not null,
  -- Of a paid order.
  reference text,
  -- Of a failed payment.
  code text,
  detail text,
  decided_at timestamptz not null,
  check (case status when 'paid' then reference is not null else code is not null and detail is not null end)
);

-- The simulated payment provider's own ledger: it stands for a third party, so nothing joins it but the audit.
create schema simulated_provider;
create table simulated_provider.charges (
  idempotency_key text primary key,
  amount integer not null,
  currency text not null,
  status text not null check (status in ('approved', 'declined')),
  reference text,
  code text,
  -- How often the charge was asked for; money moves once.
  attempts integer not null default 1,
  created_at timestamptz not null default now()
);
