import { expect, test } from 'vitest';
import { loadConfig } from '../../contracts/config/config.ts';
import { UsageError } from '../../contracts/failure.ts';
import { assertPortsFree } from '../../stack/system/system.ts';

test.for([
  ['ORDERMESH_GATEWAY_PORT', '0', /ORDERMESH_GATEWAY_PORT is 0; .*from 1 to 65535/],
  ['ORDERMESH_ADMIN_PORT', '0', /ORDERMESH_ADMIN_PORT is 0; .*from 1 to 65528/],
  ['ORDERMESH_ADMIN_PORT', '65530', /ORDERMESH_ADMIN_PORT is 65530; .*from 1 to 65528/],
] as const)('the whole mesh refuses %s=%s before it starts anything', async ([name, value, says]) => {
  const refused = assertPortsFree(loadConfig({ [name]: value }));
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(says);
});
