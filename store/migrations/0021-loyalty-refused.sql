-- A message id may be given to another message: an emulator numbers from 1 again after it was made new, and what is no Pub/Sub message has none. What
-- was refused is known by its content as well. (`on conflict do nothing` without a target works with the old key too.)
alter table loyalty_refused drop constraint loyalty_refused_pkey;
alter table loyalty_refused add column content text not null
  generated always as (md5(coalesce(encode(data, 'hex'), '') || ' ' || attributes::text)) stored;
alter table loyalty_refused add primary key (message_id, content);
