-- When a counter was last used; unused ones are forgotten. The windows say nothing about that: an order can be placed long before it
-- comes.
alter table velocity add column counted_at timestamptz not null default now();
create index velocity_counted_at on velocity using brin (counted_at) with (pages_per_range = 32);
