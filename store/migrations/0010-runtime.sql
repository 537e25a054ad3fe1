-- One row per group and partition: who owns it now. A transaction of an older epoch is refused.
create table assignment_epochs (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  epoch bigint not null,
  owner text not null,
  claimed_at timestamptz not null default now(),
  primary key (consumer_group, topic, partition)
);

-- Keys whose message failed for good: later messages of the key go to the dead-letter topic behind it.
create table parked_keys (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  key text not null,
  -- Offset of the message that failed; those before it were finished.
  first_offset bigint not null,
  reason text not null,
  error text not null,
  attempts integer not null,
  first_failed_at timestamptz not null,
  parked_at timestamptz not null default now(),
  primary key (consumer_group, topic, partition, key)
);
