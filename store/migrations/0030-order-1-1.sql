-- What a crew needs of an order of version 1.1, beside its items.
alter table tickets
  -- The number on the receipt.
  add column number text,
  add column guest text,
  -- {"type", "table", "promisedAt"}
  add column fulfilment json;
