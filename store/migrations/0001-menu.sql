-- What is sold, where and when. Written by `menu load` alone.

create table menu_state (
  single boolean primary key default true check (single),
  -- Goes up with every load; validators compare it in every turn to notice a new menu.
  version bigint not null
);
insert into menu_state (version) values (0);

create table menu_items (
  sku text primary key,
  name text not null,
  category text not null,
  station text,
  price integer not null check (price >= 0),
  modifiers json not null
);

create table stores (
  store_id text primary key,
  name text not null,
  timezone text not null,
  -- Minutes after local midnight. `closes` before `opens`: past midnight; equal: open all day.
  opens smallint not null,
  closes smallint not null,
  currency text not null
);

-- Stock is one row per store with one array element per SKU: a turn of a thousand orders writes some hundred rows instead of some
-- thousand. A SKU keeps its position for ever. Read it through the view `inventory`.
create table stock_positions (
  sku text primary key,
  position smallint not null unique check (position > 0)
);

create table store_stock (
  store_id text primary key references stores,
  on_hand integer[] not null check (0 <= all (on_hand))
) with (fillfactor = 40);

-- All that was ever put on the shelves, so that loaded - on_hand is what was reserved.
create table store_stock_loaded (
  store_id text primary key references stores,
  loaded bigint[] not null
);

create view inventory as
select store_id, sku, loaded[position] as loaded, on_hand[position] as on_hand
from store_stock join store_stock_loaded using (store_id) cross join stock_positions;
