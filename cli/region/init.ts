import { Command } from 'commander';
import { loadConfig } from '../../contracts/config/config.ts';
import { createRegionTopic, newestState, pairOf, readRegion, writeRegionState } from '../../region/index.ts';
import { regionsOf } from '../../region/operations/index.ts';
import { print } from '../output.ts';

export function initCommand(): Command {
  return new Command('init')
    .description('Names the first active region, once, in both clusters. Does nothing where one is named already.')
    .requiredOption('--active <region>', 'the region that takes orders')
    .option('--regions <file>', 'addresses of both regions; ORDERMESH_REGIONS_FILE by default')
    .action(async ({ active, regions: file }: { active: string; regions?: string }) => {
      const { region, other } = pairOf(await regionsOf(file), active);
      const both = [region, other];
      const { ORDERMESH_REPLICATION_FACTOR: replicas } = loadConfig();
      await Promise.all(both.map(({ cluster }) => createRegionTopic(cluster, replicas)));
      const known = await Promise.all(both.map(({ cluster }) => readRegion(cluster)));
      const named = newestState(known.map(({ records }) => records));
      if (named !== undefined) {
        print(`epoch ${named.epoch} is in force: ${named.active ?? 'no region'} is active`);
        // An interrupted attempt may have reached only one of the two clusters.
        const untold = both.filter((_, n) => (known[n]?.records.state?.epoch ?? 0) < named.epoch);
        for (const { name, cluster } of untold) {
          await writeRegionState(cluster, named);
          print(`the cluster of ${name} did not know it; it does now`);
        }
        return;
      }
      const state = { epoch: 1, active, source: active, tenure: 1, since: new Date().toISOString() };
      await Promise.all(both.map(({ cluster }) => writeRegionState(cluster, state)));
      print(`${active} is active, ${other.name} is passive`);
    });
}
