/**
 * Assigns partitions to slots. Sticky: a partition stays on its slot as long as the balance allows. Balanced: the loads of two slots differ
 * by at most one. Pure and deterministic, so that the simulation and tests can call it.
 */
export function pin(
  partitions: readonly number[],
  slots: number,
  current: ReadonlyMap<number, number>,
): Map<number, number> {
  const wanted = [...new Set(partitions)].sort((a, b) => a - b);
  const pinned = new Map<number, number>();
  const loads = new Array<number>(slots).fill(0);
  const loadMin = Math.floor(wanted.length / slots);
  // This many slots have one partition more than the others.
  let surplus = wanted.length % slots;
  const homeless: number[] = [];
  for (const partition of wanted) {
    const slot = current.get(partition);
    const load = slot === undefined ? undefined : loads[slot];
    if (slot === undefined || load === undefined || load > loadMin || (load === loadMin && surplus === 0)) {
      homeless.push(partition);
      continue;
    }
    if (load === loadMin) surplus--;
    loads[slot] = load + 1;
    pinned.set(partition, slot);
  }
  for (const partition of homeless) {
    const slot = loads.indexOf(Math.min(...loads));
    loads[slot] = (loads[slot] ?? 0) + 1;
    pinned.set(partition, slot);
  }
  return pinned;
}
