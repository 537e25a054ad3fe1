// The part of `ordermesh topics apply` that grants each role its rights. Called by apply.ts.

import { type PrincipalRole, principalRoles, principalsWith } from '../../contracts/access.ts';
import type { Config } from '../../contracts/config/config.ts';
import { clusterOf } from '../../contracts/config/kafka-cluster.ts';
import { UsageError } from '../../contracts/failure.ts';
import { readInputFile } from '../../contracts/input-file.ts';
import { type Acl, aclsFor, applyAcls } from '../../kafka/index.ts';
import { print, printJson, table } from '../output.ts';

const DEFAULT_PREFIX = 'User:ordermesh-';

export interface AclOptions {
  json?: boolean;
  dryRun?: boolean;
  prefix?: string;
  principals?: string;
  regions?: readonly string[];
}

/** Prints the permissions, and applies them unless it is a dry run. */
export async function grant(config: Config, options: AclOptions): Promise<void> {
  const acls = aclsFor(await principalsOf(options), regionsOf(config, options));
  if (!options.dryRun) await applyAcls(clusterOf(config), acls);
  if (options.json) return printJson({ acls, applied: !options.dryRun });
  print(table(['principal', 'resource', 'name', 'pattern', 'operation'], acls.map(rowOf)));
  print(options.dryRun ? `${acls.length} permissions; nothing was applied` : `${acls.length} permissions are in force`);
}

function rowOf({ principal, resource, name, pattern, operation }: Acl): string[] {
  return [principal, resource, name, pattern, operation];
}

/** @throws UsageError when there are two regions and only one is named: the mirror would lack a right */
function regionsOf(config: Config, { regions = [config.REGION] }: AclOptions): readonly string[] {
  if (config.ORDERMESH_PEER_BROKERS !== undefined && regions.length < 2)
    throw new UsageError(
      `there is another region than ${regions.join()}; --regions takes both names, for example east,west`,
    );
  return regions;
}

/** @throws UsageError for a file that is not an object of roles and users */
async function principalsOf({ principals, prefix = DEFAULT_PREFIX }: AclOptions) {
  if (principals === undefined) return principalsWith(prefix);
  const text = await readInputFile(principals);
  let named: unknown;
  try {
    named = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${principals} is not JSON: ${(error as Error).message}`);
  }
  if (typeof named !== 'object' || named === null || Array.isArray(named))
    throw new UsageError(`${principals} takes an object such as {"gateway":"User:CN=gateway"}`);
  for (const [role, user] of Object.entries(named)) {
    if (!(principalRoles as readonly string[]).includes(role))
      throw new UsageError(`${principals} names the role ${role}; it takes ${principalRoles.join(', ')}`);
    if (typeof user !== 'string' || !/^\w+:./.test(user))
      throw new UsageError(`${principals} has ${JSON.stringify(user)} for ${role}; it takes User:<name>`);
  }
  return named as Partial<Record<PrincipalRole, string>>;
}
