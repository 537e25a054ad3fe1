-- The fence: locks epochs against a claim until the transaction ends, and fails when one of them is no longer current. It fails rather than
-- answers, because the statements of a turn are sent behind it without waiting: in the transaction that it has aborted, the server refuses them.
-- SQLSTATE OM001; the detail names the partitions that have a newer owner, separated by commas.
create function hold_epochs(in_group text, in_topic text, in_partitions integer[], in_epochs bigint[]) returns void
language plpgsql as $$
declare
  stale text;
begin
  -- Locked in the order of the partitions, as a claim does, so that the two never lock each other out.
  select string_agg(expected.partition::text, ',' order by expected.partition) into stale
  from unnest(in_partitions, in_epochs) as expected(partition, epoch)
  left join (
    select partition, epoch from assignment_epochs
    where consumer_group = in_group and topic = in_topic and partition = any(in_partitions)
    order by partition for share
  ) as held on held.partition = expected.partition
  where held.epoch is distinct from expected.epoch;
  if stale is not null then
    raise exception 'partitions % of % have a newer owner in group %', stale, in_topic, in_group
      using errcode = 'OM001', detail = stale;
  end if;
end
$$;
