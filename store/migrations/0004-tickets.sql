-- What the kitchen sees. A ticket exists from payment on; its state follows the events of the topic.
create table tickets (
  order_id uuid primary key,
  store_id text not null,
  state text not null check (state in ('open', 'cooking', 'cooked')),
  -- From 1, one up with every recall.
  round integer not null,
  channel text not null,
  items json not null,
  total integer not null,
  currency text not null,
  placed_at timestamptz not null,
  paid_at timestamptz not null,
  cooking_at timestamptz,
  cooked_at timestamptz,
  recalled_at timestamptz
) with (fillfactor = 80);
create index tickets_unfinished on tickets (store_id, paid_at) where state <> 'cooked';
create index tickets_unfinished_all on tickets (paid_at) where state <> 'cooked';
create index tickets_cooked on tickets (store_id, cooked_at desc) where state = 'cooked';

-- Kitchen events that the state of their ticket did not allow, once each; they had no effect.
create table ignored_kitchen_events (
  event_id text primary key,
  order_id uuid not null,
  type text not null,
  round integer not null,
  -- State and round of the ticket at that moment; null: there was no ticket.
  ticket_state text,
  ticket_round integer,
  seen_at timestamptz not null default now()
);
