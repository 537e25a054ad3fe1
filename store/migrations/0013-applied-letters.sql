-- When the effects of a dead letter were written, though it is not settled: its outputs may be missing. Such a message is not discarded by accident.
alter table dead_letters add column applied_at timestamptz;
-- The same of the first message of a parked key, until its dead letter is recorded.
alter table parked_keys add column applied boolean not null default false;
