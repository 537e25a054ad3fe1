import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { alterUserScramCredentialsV0, Admin as PlatformaticAdmin } from '@platformatic/kafka';
import type { KafkaCluster } from '../../contracts/config/kafka-cluster.ts';
import { platformaticOptions } from '../../kafka/security/client-options.ts';

/** Kafka's numbers of the mechanisms (KIP-554), and what they hash with. */
const mechanisms = {
  'SCRAM-SHA-256': { number: 1, digest: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { number: 2, digest: 'sha512', bytes: 64 },
} as const;
const ITERATIONS = 4_096;

/** Makes a user or changes its password, as an operator does it with Kafka's own tool. */
export async function setScramPassword(
  cluster: KafkaCluster,
  mechanism: keyof typeof mechanisms,
  name: string,
  password: string,
): Promise<void> {
  const admin = new PlatformaticAdmin({ clientId: 'test', ...platformaticOptions(cluster) });
  const { brokers } = await admin.metadata({ topics: [] });
  const connection = await admin.connections.get([...brokers.values()][0] as { host: string; port: number });
  const salt = randomBytes(16);
  const { number, digest, bytes } = mechanisms[mechanism];
  const saltedPassword = pbkdf2Sync(password, salt, ITERATIONS, bytes, digest);
  const change = { name, mechanism: number, iterations: ITERATIONS, salt, saltedPassword };
  await alterUserScramCredentialsV0.api.async(connection, [], [change]);
  await admin.close();
}
