// Grants the rights of contracts/access.ts to users, as ACLs. Used by `ordermesh topics apply --acls` and by the embedded stack.

import kafkajs from 'kafkajs';
import {
  type AccessRight,
  accessRights,
  eachRegion,
  type PrincipalRole,
  principalRoles,
} from '../../contracts/access.ts';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { kafkajsClient } from '../kafkajs/kafkajs-client.ts';
import { kafkaError } from '../security/refusals.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** One permission, in Kafka's words. */
export interface Acl {
  principal: string;
  resource: AccessRight['resource'];
  name: string;
  pattern: 'LITERAL' | 'PREFIXED';
  operation: AccessRight['operations'][number];
}

/**
 * @param principals the user of each role, as Kafka names it: `User:ordermesh-gateway`
 * @param regions names of all regions of the mesh
 */
export function aclsFor(
  principals: Readonly<Partial<Record<PrincipalRole, string>>>,
  regions: readonly string[],
): Acl[] {
  return principalRoles.flatMap((role) => {
    const principal = principals[role];
    if (principal === undefined) return [];
    return accessRights[role].flatMap(({ resource, name, isPrefix = false, operations }) =>
      namesIn(name, regions).flatMap((named) =>
        operations.map((operation) => ({
          principal,
          resource,
          name: named,
          pattern: isPrefix ? ('PREFIXED' as const) : ('LITERAL' as const),
          operation,
        })),
      ),
    );
  });
}

function namesIn(name: string, regions: readonly string[]): readonly string[] {
  return name.includes(eachRegion) ? regions.map((region) => name.replace(eachRegion, region)) : [name];
}

/**
 * Adds the permissions; those that exist already stay, and nothing is taken away.
 * @throws KafkaRefusedError when this user may not alter the cluster; KafkaUnavailableError on an outage
 */
export async function applyAcls(cluster: KafkaCluster, acls: readonly Acl[]): Promise<void> {
  const admin = kafkajsClient({ clientId: 'ordermesh-acls', cluster }).admin();
  try {
    await admin.connect();
    await admin.createAcls({
      acl: acls.map(({ principal, resource, name, pattern, operation }) => ({
        resourceType: AclResourceTypes[resource],
        resourceName: name,
        resourcePatternType: ResourcePatternTypes[pattern],
        principal,
        host: '*',
        operation: AclOperationTypes[operation],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    });
  } catch (error) {
    throw kafkaError('create ACLs', error);
  } finally {
    await admin.disconnect();
  }
}
