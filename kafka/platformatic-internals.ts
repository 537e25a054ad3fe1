import type { Base } from '@platformatic/kafka';

/**
 * The brokers that a client asks for metadata and producer ids, first one first, change places: the first goes to the end. The client always asks
 * the first that takes a connection, and asks it again after it has failed to answer, unless the client itself repeats the request. A
 * stopped broker, or a proxy in front of a dead one, takes connections for as long as it lasts. The
 * list is below the client's public interface; the package is pinned exactly, so it does not move.
 */
export function askAnotherBroker(client: Base): void {
  const symbol = Object.getOwnPropertySymbols(client).find(
    ({ description }) => description === 'plt.kafka.base.bootstrapBrokers',
  );
  const brokers: unknown = symbol === undefined ? undefined : Reflect.get(client, symbol);
  if (!Array.isArray(brokers))
    throw new Error('this version of @platformatic/kafka keeps its bootstrap brokers elsewhere');
  brokers.push(brokers.shift());
}
