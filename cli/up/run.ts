/** What `runUntilStopped` waits for and closes. `ordermesh up` and its unit test use it. */
export interface Run {
  /** Resolves with a signal. */
  stopped: Promise<unknown>;
  /** The simulated traffic, if any. */
  working: Promise<unknown> | undefined;
  stopWork(): void;
  close(): Promise<void>;
}

/** Waits for a signal, or until the traffic ends or fails; then stops the traffic and closes everything. @throws what the traffic failed with */
export async function runUntilStopped({ stopped, working, stopWork, close }: Run): Promise<void> {
  // A failure of the traffic is thrown by the last line, once everything is closed.
  const settled = working?.catch(() => {});
  await Promise.race([stopped, ...(settled === undefined ? [] : [settled])]);
  stopWork();
  await settled;
  await close();
  await working;
}
