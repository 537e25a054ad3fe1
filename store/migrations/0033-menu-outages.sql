-- What a store cannot sell for a while (86), and what it has counted on its shelves. Written through the gateway and by `ordermesh menu`.

-- Goes up with every change of a store. The row is locked first, so that the changes of one store come one after the other.
create table store_menu_state (
  store_id text primary key,
  revision bigint not null
);

-- A SKU is unavailable from began_at until ended_at. The order-validator asks for it with each turn, so ended rows leave after the window.
create table menu_outages (
  store_id text not null,
  sku text not null,
  began_at timestamptz not null,
  ended_at timestamptz,
  reason text,
  primary key (store_id, sku, began_at)
);
create unique index menu_outages_open on menu_outages (store_id, sku) where ended_at is null;

-- What a count put on a shelf (delta above 0) or took from it. With it, loaded + corrected - on_hand is what orders have taken.
create table stock_corrections (
  -- Made by whoever counted: the same correction again counts once.
  change_id uuid primary key,
  store_id text not null,
  sku text not null,
  -- What was counted, and the difference to the books.
  on_hand integer not null check (on_hand >= 0),
  delta bigint not null,
  corrected_at timestamptz not null default now(),
  reason text
);
create index stock_corrections_by_sku on stock_corrections (store_id, sku);

create or replace view inventory as
select s.store_id, p.sku, l.loaded[p.position] as loaded, s.on_hand[p.position] as on_hand,
  coalesce((select sum(delta) from stock_corrections c where c.store_id = s.store_id and c.sku = p.sku), 0)::bigint as corrected
from store_stock s join store_stock_loaded l using (store_id) cross join stock_positions p;
