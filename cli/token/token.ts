import { Command } from 'commander';
import { loadConfig } from '../../contracts/config/config.ts';
import { assertIssuer } from '../../gateway/identity/index.ts';
import { wholeNumber } from '../options.ts';
import { print, printJson } from '../output.ts';
import { storeId } from './store-id.ts';

interface TokenOptions {
  store: string;
  expiresIn: number;
  json?: boolean;
}

export function tokenCommand(): Command {
  return new Command('token')
    .description('Issues a token of the development issuer for one store.')
    .requiredOption('--store <id>', 'store whose orders it may send and read, for example us-il-0001', storeId)
    .option('--expires-in <seconds>', 'lifetime', wholeNumber(1, 31_536_000), 86_400)
    .option('--json', 'print {"store","token","expiresIn"}')
    .action(async ({ store, expiresIn, json }: TokenOptions) => {
      const { issueToken } = await import('../../gateway/identity/index.ts');
      const config = loadConfig();
      await assertIssuer(config);
      const token = await issueToken({ config, store, expiresIn });
      if (json) printJson({ store, token, expiresIn });
      else print(token);
    });
}
