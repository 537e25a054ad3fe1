-- A key stays here after its release: up to the settled offset its messages are done with, and a redelivery of one is no work.
alter table parked_keys
  add column settled_offset bigint,
  add column released_at timestamptz,
  -- The act that replays the key now, message by message in order, until it is released or one fails again.
  add column replay bigint;
create index parked_keys_in_replay on parked_keys (consumer_group, topic, partition) where replay is not null;
create index parked_keys_by_key on parked_keys (key);

-- What operators did: who, when and why. Which messages it was about is in dead_letter_trace.
create table dead_letter_acts (
  id bigint generated always as identity primary key,
  act text not null check (act in ('replay', 'discard', 'stop')),
  operator text not null,
  at timestamptz not null default now(),
  why text,
  -- The order or the filter, as it was asked for.
  selection json not null,
  -- A replay's messages a second, over all workers; null: as fast as they go.
  rate double precision check (rate > 0),
  -- When the next message of the replay may begin.
  next_at timestamptz not null default now()
);

-- Every message that was parked, and what became of it. Written after the dead-letter topic has it, before its offset may be committed.
create table dead_letters (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  -- Where the message is in its topic.
  record_offset bigint not null,
  key text not null,
  key_bytes bytea,
  value bytea,
  -- By name: text, or {"base64": …} where the bytes are none. json rather than jsonb, which refuses \u0000.
  headers json not null,
  written_at timestamptz not null,
  -- Offset of the message of its key that it was parked behind; null for one that failed itself.
  behind bigint,
  reason text not null,
  error text not null,
  -- How often it was tried; 0 for one that was parked behind another and never tried.
  attempts integer not null,
  first_failed_at timestamptz not null,
  parked_at timestamptz not null default now(),
  state text not null default 'parked' check (state in ('parked', 'replayed', 'discarded')),
  settled_at timestamptz,
  -- Takes the place of the value in a replay.
  edited_value bytea,
  primary key (consumer_group, topic, partition, record_offset)
);
create index dead_letters_parked on dead_letters (consumer_group, topic, partition, key, record_offset) where state = 'parked';
create index dead_letters_by_key on dead_letters (key);
create index dead_letters_by_time on dead_letters (parked_at);

-- The story of each dead letter, in order.
create table dead_letter_trace (
  id bigint generated always as identity primary key,
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  record_offset bigint not null,
  at timestamptz not null default now(),
  event text not null check (event in ('parked', 'replay', 'edited', 'replayed', 'failed', 'discarded', 'stopped')),
  act bigint references dead_letter_acts,
  attempts integer,
  reason text,
  error text
);
create index dead_letter_trace_by_letter on dead_letter_trace (consumer_group, topic, partition, record_offset);
create index dead_letter_trace_by_act on dead_letter_trace (act) where act is not null;
