import type { RunningRole } from '../contracts/roles.ts';

/** Makes a role of what it has started. `close` ends everything once, the last started first. */
export function runningRole(addresses: Record<string, string>, started: AsyncDisposableStack): RunningRole {
  let closing: Promise<void> | undefined;
  return {
    addresses,
    close() {
      closing ??= started.disposeAsync();
      return closing;
    },
  };
}
