import { table } from '../output.ts';

/** The addresses that a person would open, then those of the metrics. */
export function addressTable(addresses: readonly (readonly [name: string, address: string])[]): string {
  return table(
    ['what', 'address'],
    addresses.map(([name, address]) => [name, address]),
  );
}
