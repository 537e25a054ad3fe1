-- What an order took from the shelf of its store: position, quantity, position, quantity and so on. Null once it was given back, for a
-- rejected order, and for an order that was decided before this column.
alter table orders add column taken integer[];
