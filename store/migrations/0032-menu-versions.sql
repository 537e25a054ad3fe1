-- Menus in time. Every load adds a version, and an order is judged by the version that was in force when it was placed.

create table menu_versions (
  version bigint primary key,
  -- In force from then until the next version takes effect. Of two with the same time the higher version is in force.
  effective_at timestamptz not null,
  loaded_at timestamptz not null default now(),
  -- As in the file of the load.
  items json not null,
  -- The stores of the file: [{storeId, name, timezone, opens, closes, currency}], times in minutes after local midnight. A store that
  -- the file does not name is as in the versions before.
  stores json not null
);
create index menu_versions_in_time on menu_versions (effective_at, version);

-- The previous release's `menu load` writes menu_items and stores, and adds no version. This makes a version of what it has written, at the
-- end of its transaction. Its validators read the same two tables, so `menu load` still writes them.
create function menu_version_of_tables() returns trigger language plpgsql as $$
begin
  insert into menu_versions (version, effective_at, items, stores)
  select new.version, now(),
    (select coalesce(json_agg(json_strip_nulls(json_build_object('sku', sku, 'name', name, 'category', category, 'station', station,
      'price', price, 'modifiers', modifiers)) order by sku), '[]') from menu_items),
    (select coalesce(json_agg(json_build_object('storeId', store_id, 'name', name, 'timezone', timezone, 'opens', opens, 'closes', closes,
      'currency', currency) order by store_id), '[]') from stores)
  on conflict (version) do nothing;
  return null;
end $$;

create constraint trigger menu_version_of_load after update of version on menu_state
deferrable initially deferred for each row execute function menu_version_of_tables();

update menu_state set version = version where version > 0;
