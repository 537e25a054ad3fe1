import { expect, test } from 'vitest';
import { mirrorProperties } from '../../region/mirror-config.ts';

const open = { brokers: ['a:1'], security: { protocol: 'PLAINTEXT' } } as const;

test('MirrorMaker gets the settings of each cluster, with the password quoted', () => {
  const security = {
    protocol: 'SASL_SSL',
    mechanism: 'SCRAM-SHA-512',
    username: 'm',
    password: { text: 'a"b\\' },
  } as const;
  const properties = mirrorProperties({
    from: { name: 'east', cluster: { brokers: ['b:1'], security } },
    to: { name: 'west', cluster: open },
    replicationFactor: 1,
  });
  expect(properties).toContain('\neast.security.protocol=SASL_SSL\n');
  // Escaped twice: once for JAAS, once for the format of properties.
  expect(properties).toContain('username="m" password="a\\\\"b\\\\\\\\";\n');
  expect(properties).not.toContain('west.security');
});
