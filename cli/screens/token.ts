import { Command } from 'commander';
import { hashOf, newScreenToken } from '../../display/pairing/code.ts';
import { admitToken } from '../../store/index.ts';
import { print, printJson, say } from '../output.ts';
import { storeId } from '../token/store-id.ts';
import { shown, withScreens } from './shown.ts';

interface TokenOptions {
  store: string;
  name?: string;
  json?: boolean;
}

export function screenTokenCommand(): Command {
  return new Command('token')
    .description(
      'Makes a token for a client that cannot show a code: the agent of a restaurant takes it as ORDERMESH_EDGE_KITCHEN_TOKEN.',
    )
    .requiredOption('--store <id>', 'store whose tickets it may show and bump', storeId)
    .option('--name <name>', 'what `display list` calls it')
    .option('--json', 'print {"token",…} with the screen')
    .action(({ store, name, json }: TokenOptions) =>
      withScreens(async (sql) => {
        const token = newScreenToken();
        const screen = await admitToken(sql, hashOf(token), { name: name ?? `agent of ${store}`, storeId: store });
        if (json) return printJson({ token, ...shown(screen) });
        say(`${screen.screenId}: keep the token, it is not shown again`);
        print(token);
      }),
    );
}
