import { hasStrayDatabase, type MeshHealth } from '../../region/operations/index.ts';
import { print, table } from '../output.ts';

/** The health of both regions for a person: who is active, each database, and how far the mirror is behind. */
export function printHealth(mesh: MeshHealth): void {
  const { state, regions, mirror, dnsProblem } = mesh;
  const rows = regions.map(({ name, log, logProblem, state: own, database, databaseAgeS, databaseProblem }) => [
    name,
    state === undefined ? 'unknown' : state.active === name ? 'active' : 'passive',
    [log, logProblem].filter(Boolean).join(': '),
    own?.epoch ?? '',
    databaseAgeS === undefined
      ? [database, databaseProblem].filter(Boolean).join(': ')
      : `${database}, last transaction ${databaseAgeS} s ago`,
  ]);
  print(table(['region', 'role', 'log', 'epoch', 'database'], rows));
  if (state === undefined)
    print(
      regions.every(({ log }) => log === 'does not answer')
        ? 'neither region answers, so who is active is not known'
        : 'no region that answers knows who is active: `ordermesh region init` names the first one',
    );
  else if (state.active === undefined) print('no region is active: finish the failover, or start it again');
  else if (state.unfinished)
    print(`the failover to ${state.active} is not finished (name and probe orders): start the same command again`);
  else if (hasStrayDatabase(mesh))
    print(`the passive region's database is no standby: make it one of ${state.active}'s`);
  if (dnsProblem !== undefined) print(`a failover from here could not change the mesh's name: ${dnsProblem}`);
  const topics = Map.groupBy(mirror, ({ topic }) => topic);
  const lags = [...topics].map(([topic, partitions]) => [
    topic,
    partitions.reduce((sum, { lag }) => sum + lag, 0),
    [...new Set(partitions.map((partition) => partition.state))].join(', '),
  ]);
  if (lags.length > 0) print(`\n${table(['mirrored topic', 'records behind', 'state'], lags)}`);
}
