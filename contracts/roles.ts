/** The long-running roles, in the order in which an order passes them. Their admin ports count up from the gateway's. */
export const roles = [
  'gateway',
  'order-validator',
  'payment',
  'kitchen',
  'display',
  'bridge',
  'warehouse',
  'loyalty',
  'edge',
  'mirror',
] as const;

export type RoleName = (typeof roles)[number];

const FIRST_ADMIN_PORT = 9464;

export function defaultAdminPort(role: RoleName): number {
  return FIRST_ADMIN_PORT + roles.indexOf(role);
}

/** A started role. `addresses` are what a person would open or call, by name. */
export interface RunningRole {
  addresses: Record<string, string>;
  /** Finishes what is in flight, then stops. Idempotent. */
  close(): Promise<void>;
}
