// The password of a cluster's user as it is now. Used by client-options.ts and oauth-token.ts.

import type { KafkaSecurity } from '../../contracts/config/kafka-security.ts';
import { secretText } from '../../contracts/config/secret.ts';
import { refused } from './refusals.ts';

/** @throws KafkaRefusedError when the file of the password can't be read */
export function secretOf({ password = { text: '' } }: KafkaSecurity): string {
  try {
    return secretText(password);
  } catch (error) {
    throw refused(
      'authentication',
      `refused (authentication): the password cannot be read: ${(error as Error).message}`,
    );
  }
}
