import { createConnection } from 'node:net';
import { loadConfig } from '../../contracts/config/config.ts';
import { ownSecurity } from '../../contracts/config/kafka-security.ts';
import { UsageError } from '../../contracts/failure.ts';
import { RecordRefusedError } from '../../kafka/index.ts';
import { type RegionRecords, readRegion } from '../region-state.ts';
import { type RegionAddresses, type Regions, readRegions } from '../regions.ts';
import { QUESTION_MS_MAX, within } from './within.ts';

/** The two regions of a mesh: their addresses from a file, and what each of them answers. `ordermesh region` begins with both. */

const CONNECT_MS_MAX = 3_000;

export async function regionsOf(file: string | undefined): Promise<Regions> {
  const config = loadConfig();
  const name = file ?? config.ORDERMESH_REGIONS_FILE;
  if (name === undefined)
    throw new UsageError(
      'which regions? Give --regions FILE or set ORDERMESH_REGIONS_FILE; docs/operations/failover.md shows one',
    );
  return readRegions(name, ownSecurity(config));
}

export interface SeenRegion {
  addresses: RegionAddresses;
  /** What its cluster says; absent when it does not answer. */
  records?: RegionRecords;
  /** Why `records` is absent. */
  reason?: string;
  /** The cluster answers and has no topic `region-state`. */
  isNew?: boolean;
}

/** Asks both clusters. */
export function lookAtBoth({ byName }: Regions): Promise<SeenRegion[]> {
  return Promise.all(
    [...byName.values()].map(async (addresses): Promise<SeenRegion> => {
      try {
        // A client asks a dead broker again for a while; in a failover every second counts.
        await Promise.any(addresses.cluster.brokers.map(connects));
        const asked = within(QUESTION_MS_MAX, `Kafka of ${addresses.name}`, readRegion(addresses.cluster));
        const { records } = await asked;
        return { addresses, records };
      } catch (error) {
        const { message } = error instanceof AggregateError ? error.errors[0] : (error as Error);
        if (error instanceof RecordRefusedError)
          return { addresses, isNew: true, reason: `${message}: run \`ordermesh region init\`` };
        return { addresses, reason: message };
      }
    }),
  );
}

/** @throws unless something listens there */
function connects(broker: string): Promise<void> {
  const at = broker.lastIndexOf(':');
  return new Promise((resolve, reject) => {
    const socket = createConnection({
      host: broker.slice(0, at),
      port: Number(broker.slice(at + 1)),
      timeout: CONNECT_MS_MAX,
    });
    socket.on('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.on('timeout', () =>
      socket.destroy(new Error(`${broker} does not answer within ${CONNECT_MS_MAX / 1_000} s`)),
    );
    socket.on('error', reject);
  });
}
