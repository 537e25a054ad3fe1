// What the office tells a host, and what the host answers. Spoken by ../host.ts and by service-manager.ts.

import type { RoleName } from '../../../contracts/roles.ts';

/** An order from the office; each is answered once. */
export type HostTask =
  | { do: 'join-network'; address: string; prefixBits: number }
  /** Starts the broker. Answered when it listens; whether the cluster works shows from outside. */
  | { do: 'start-broker'; nodeId: number; clusterId: string; quorum: readonly string[]; address: string }
  | { do: 'start-database'; address: string; from: string }
  | { do: 'start-role'; role: RoleName; args: readonly string[]; env: Record<string, string> }
  /** Answered when every role says that it is ready. */
  | { do: 'await-roles' }
  /** Each role's `/readyz` where it is not 200. */
  | { do: 'ask-roles' }
  /** The names on its disk, and in the directory of all hosts, which it must find empty. */
  | { do: 'look-around' }
  /** A crew at the screen of this host. */
  | { do: 'cook'; seed: number }
  /** Ends every role in good order. */
  | { do: 'stop-roles' };

export type ToHost = { id: number; task: HostTask };
export type FromHost =
  | { id: number; answer: string[] }
  | { id: number; error: string }
  | { note: string }
  /** First of all: which paths of others the host can write to. There may be none. */
  | { shared: string[] };
